package release

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The functions of this file turn a record into JSON and back: the fields and
// their order are those of Helm 4.3, what it leaves out is left out, and
// fields that are not known stay what they were, at the end of their object.

// marshal writes the record's JSON.
func marshal(r *Release) ([]byte, error) {
	var w objectWriter
	w.text("name", r.Name)
	w.nested("info", r.Info.write)
	w.raw("chart", r.Chart)
	if len(r.Config) > 0 {
		w.value("config", r.Config)
	}
	w.text("manifest", r.Manifest)
	if len(r.Hooks) > 0 {
		w.list("hooks", len(r.Hooks), func(i int, hook *objectWriter) { r.Hooks[i].write(hook) })
	}
	w.number("version", r.Revision)
	w.text("namespace", r.Namespace)
	w.text("apply_method", r.ApplyMethod)
	w.rest(r.unknown)
	return w.close()
}

func (i *Info) write(w *objectWriter) {
	w.time("first_deployed", i.FirstDeployed)
	w.time("last_deployed", i.LastDeployed)
	w.time("deleted", i.Deleted)
	w.text("description", i.Description)
	w.text("status", string(i.Status))
	w.number("rollback_revision", i.RollbackRevision)
	w.text("notes", i.Notes)
	w.rest(i.unknown)
}

func (h *Hook) write(w *objectWriter) {
	w.text("name", h.Name)
	w.text("kind", h.Kind)
	w.text("path", h.Path)
	w.text("manifest", h.Manifest)
	if len(h.Events) > 0 {
		w.value("events", h.Events)
	}
	w.nested("last_run", h.LastRun.write)
	w.number("weight", h.Weight)
	if len(h.DeletePolicies) > 0 {
		w.value("delete_policies", h.DeletePolicies)
	}
	if len(h.LogPolicies) > 0 {
		w.value("output_log_policies", h.LogPolicies)
	}
	w.rest(h.unknown)
}

func (e *Execution) write(w *objectWriter) {
	w.time("started_at", e.StartedAt)
	w.time("completed_at", e.CompletedAt)
	w.value("phase", e.Phase)
	w.rest(e.unknown)
}

// unmarshal reads the record's JSON. A record must say whose it is.
func unmarshal(raw []byte) (*Release, error) {
	r := &Release{}
	o, err := readObject("", raw)
	if err != nil {
		return nil, err
	}
	var info, hooks json.RawMessage
	o.take("name", &r.Name)
	o.take("info", &info)
	o.take("chart", &r.Chart)
	o.take("config", &r.Config)
	o.take("manifest", &r.Manifest)
	o.take("hooks", &hooks)
	o.take("version", &r.Revision)
	o.take("namespace", &r.Namespace)
	o.take("apply_method", &r.ApplyMethod)
	r.unknown = o.rest()
	if isNull(r.Chart) {
		r.Chart = nil
	}
	err = errors.Join(o.err, r.Info.read(info))
	if err == nil {
		r.Hooks, err = readHooks(hooks)
	}
	if err == nil && (r.Name == "" || r.Revision < 1) {
		err = errors.New("it does not say of which release and revision it is")
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (i *Info) read(raw json.RawMessage) error {
	o, err := readObject("info.", raw)
	if err != nil {
		return err
	}
	o.time("first_deployed", &i.FirstDeployed)
	o.time("last_deployed", &i.LastDeployed)
	o.time("deleted", &i.Deleted)
	o.take("description", &i.Description)
	o.take("status", &i.Status)
	o.take("rollback_revision", &i.RollbackRevision)
	o.take("notes", &i.Notes)
	o.drop("resources") // live objects, which Helm shows and never means to store
	i.unknown = o.rest()
	return o.err
}

func readHooks(raw json.RawMessage) ([]*Hook, error) {
	if isNull(raw) {
		return nil, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, fmt.Errorf("its field hooks: %w", err)
	}
	var hooks []*Hook
	for i, item := range items {
		if isNull(item) {
			continue
		}
		h := &Hook{}
		if err := h.read(fmt.Sprintf("hooks[%d].", i), item); err != nil {
			return nil, err
		}
		hooks = append(hooks, h)
	}
	return hooks, nil
}

func (h *Hook) read(path string, raw json.RawMessage) error {
	o, err := readObject(path, raw)
	if err != nil {
		return err
	}
	var run json.RawMessage
	o.take("name", &h.Name)
	o.take("kind", &h.Kind)
	o.take("path", &h.Path)
	o.take("manifest", &h.Manifest)
	o.take("events", &h.Events)
	o.take("last_run", &run)
	o.take("weight", &h.Weight)
	o.take("delete_policies", &h.DeletePolicies)
	o.take("output_log_policies", &h.LogPolicies)
	h.unknown = o.rest()
	return errors.Join(o.err, h.LastRun.read(path+"last_run.", run))
}

func (e *Execution) read(path string, raw json.RawMessage) error {
	o, err := readObject(path, raw)
	if err != nil {
		return err
	}
	o.time("started_at", &e.StartedAt)
	o.time("completed_at", &e.CompletedAt)
	o.take("phase", &e.Phase)
	e.unknown = o.rest()
	return o.err
}

// parseTime reads a time as Helm 4 or Helm 3 writes it: the latter writes ""
// for none.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, text)
}
