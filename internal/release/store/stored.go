package store

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The form that Helm gives to stored records.
const (
	namePrefix = "sh.helm.release.v1."
	secretType = "helm.sh/release.v1"
	dataKey    = "release"

	nameLabel     = "name"
	ownerLabel    = "owner"
	statusLabel   = "status"
	versionLabel  = "version"
	createdLabel  = "createdAt"
	modifiedLabel = "modifiedAt"
	ownerHelm     = "helm"
)

// systemLabels are those of Helm; all others are the user's.
var systemLabels = []string{nameLabel, ownerLabel, statusLabel, versionLabel, createdLabel, modifiedLabel}

// IsSystemLabel tells labels that are Helm's from the user's.
func IsSystemLabel(key string) bool { return slices.Contains(systemLabels, key) }

// hintAnnotation holds what lists show of a record. It is the only thing that
// Pintle adds to Helm's own form: an update by Helm drops it, and readers then decode.
const hintAnnotation = "pintle.dev/outline"

// medium is a kind of object that holds records.
type medium struct {
	gvr  schema.GroupVersionResource
	kind string
	// secret tells that data is base64 in the object's JSON, and that the object has a type.
	secret bool
}

var (
	secrets    = medium{gvr: schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, kind: "Secret", secret: true}
	configMaps = medium{gvr: schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, kind: "ConfigMap"}
)

// ObjectName is where a revision is stored: the name that Helm gives its object, or its row.
func ObjectName(name string, revision int) string {
	return namePrefix + name + ".v" + strconv.Itoa(revision)
}

// content is the object's data as its JSON holds it, "" where there is none.
func (m medium) content(obj *unstructured.Unstructured) string {
	text, _, _ := unstructured.NestedString(obj.Object, "data", dataKey)
	return text
}

// encoded is the record that the object holds, as release.Decode wants it.
func (m medium) encoded(obj *unstructured.Unstructured) ([]byte, error) {
	content := m.content(obj)
	if content == "" {
		return nil, fmt.Errorf("the %s has no data under %q", m.kind, dataKey)
	}
	if !m.secret {
		return []byte(content), nil
	}
	return base64.StdEncoding.DecodeString(content)
}

// stamps are the times of a record's labels, in seconds as text.
type stamps struct{ created, modified string }

// latest is the stamp of the last write.
func (t stamps) latest() string {
	if t.modified != "" {
		return t.modified
	}
	return t.created
}

func (s *Store) stamp() string { return strconv.FormatInt(s.now().Unix(), 10) }

// build makes the object that holds the record.
func (s *Store) build(r *release.Release, at stamps) (*unstructured.Unstructured, error) {
	encoded, err := encode(r)
	if err != nil {
		return nil, err
	}
	data := string(encoded)
	if s.medium.secret {
		data = base64.StdEncoding.EncodeToString(encoded)
	}
	obj := &unstructured.Unstructured{Object: map[string]any{"data": map[string]any{dataKey: data}}}
	if s.medium.secret {
		obj.Object["type"] = secretType
	}
	obj.SetGroupVersionKind(s.medium.gvr.GroupVersion().WithKind(s.medium.kind))
	obj.SetName(ObjectName(r.Name, r.Revision))
	obj.SetNamespace(s.namespace)
	obj.SetLabels(labelsOf(r, at))
	if hint := r.Hint(at.latest()); hint != "" {
		obj.SetAnnotations(map[string]string{hintAnnotation: hint})
	}
	return obj, nil
}

// encode gives the record's bytes. The last write of an operation must not
// fail for its size: what can be left out of a record that has grown is left out.
func encode(r *release.Release) ([]byte, error) {
	encoded, err := release.Encode(r)
	if err != nil || release.CheckSize(r, encoded) == nil {
		return encoded, err
	}
	small, _ := release.Shrink(r)
	if encoded, err = release.Encode(small); err != nil {
		return nil, err
	}
	return encoded, release.CheckSize(small, encoded)
}

// labelsOf are the user's labels and Helm's.
func labelsOf(r *release.Release, at stamps) map[string]string {
	labels := map[string]string{}
	for key, value := range r.Labels {
		if !IsSystemLabel(key) {
			labels[key] = value
		}
	}
	labels[nameLabel] = r.Name
	labels[ownerLabel] = ownerHelm
	labels[statusLabel] = string(r.Info.Status)
	labels[versionLabel] = strconv.Itoa(r.Revision)
	if at.created != "" {
		labels[createdLabel] = at.created
	}
	if at.modified != "" {
		labels[modifiedLabel] = at.modified
	}
	return labels
}

// decode reads the record that the object holds and checks that it is the one that its name says.
func (s *Store) decode(obj *unstructured.Unstructured) (*release.Release, error) {
	name, revision := identity(obj)
	fail := func(err error) error {
		return &RecordError{Name: name, Namespace: obj.GetNamespace(), Revision: revision, Err: err}
	}
	encoded, err := s.medium.encoded(obj)
	if err != nil {
		return nil, fail(&release.DecodeError{Err: err})
	}
	r, err := release.Decode(encoded)
	if err != nil {
		return nil, fail(err)
	}
	if ObjectName(r.Name, r.Revision) != obj.GetName() {
		return nil, fail(&release.DecodeError{Err: fmt.Errorf("it is that of revision %d of release %s", r.Revision, r.Name)})
	}
	if r.Namespace == "" {
		r.Namespace = obj.GetNamespace()
	}
	r.Labels = userLabels(obj.GetLabels())
	return r, nil
}

// identity is what an object's name says of its record.
func identity(obj metav1.Object) (name string, revision int) {
	rest := strings.TrimPrefix(obj.GetName(), namePrefix)
	i := strings.LastIndex(rest, ".v")
	if i < 0 {
		return rest, 0
	}
	revision, _ = strconv.Atoi(rest[i+2:])
	return rest[:i], revision
}

// entryOf reads an index entry from an object's name and labels; false when
// it is not a record in Helm's form.
func entryOf(obj metav1.Object) (release.Entry, bool) {
	name, revision := identity(obj)
	labels := obj.GetLabels()
	if revision < 1 || labels[nameLabel] != name || !strings.HasPrefix(obj.GetName(), namePrefix) {
		return release.Entry{}, false
	}
	e := release.Entry{
		Name: name, Namespace: obj.GetNamespace(), Revision: revision,
		Status: release.Status(labels[statusLabel]), Labels: userLabels(labels),
	}
	if seconds, err := strconv.ParseInt(stampOf(labels), 10, 64); err == nil {
		e.Modified = time.Unix(seconds, 0)
	}
	return e, true
}

// stampOf is the stamp of the last write.
func stampOf(labels map[string]string) string {
	return stamps{created: labels[createdLabel], modified: labels[modifiedLabel]}.latest()
}

func userLabels(all map[string]string) map[string]string {
	labels := map[string]string{}
	for key, value := range all {
		if !IsSystemLabel(key) {
			labels[key] = value
		}
	}
	return labels
}
