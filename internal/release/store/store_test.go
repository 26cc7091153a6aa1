package store_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/release/store"
	"github.com/pintle-dev/pintle/internal/release/store/storetest"
)

var secrets = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}

// now is a clock that goes on by a second with each look.
func now() func() time.Time {
	at := time.Unix(1_700_000_000, 0)
	return func() time.Time { at = at.Add(time.Second); return at }
}

func TestSecretsKeepTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Open {
		objects := store.NewMemory()
		return func(namespace string) store.Records { return store.NewSecrets(objects, namespace, now()) }
	})
}

func TestConfigMapsKeepTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Open {
		objects := store.NewMemory()
		return func(namespace string) store.Records { return store.NewConfigMaps(objects, namespace, now()) }
	})
}

func TestDecoratorsKeepTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Open {
		objects := store.NewMemory()
		return func(namespace string) store.Records {
			limited := store.Limit(store.NewSecrets(objects, namespace, now()), 100, func(err error) { t.Log(err) })
			return store.Observe(limited, func(store.Verb, *release.Release, error) {})
		}
	})
}

func TestOpenKnowsHelmsNames(t *testing.T) {
	objects := store.NewMemory()
	for driver, kind := range map[string]string{
		"": "Secret", "secret": "Secret", "secrets": "Secret", "configmap": "ConfigMap", "configmaps": "ConfigMap", "memory": "",
	} {
		records, err := store.Open(driver, objects, "prod", now())
		if err != nil {
			t.Fatal(err)
		}
		name := "r" + fmt.Sprint(len(driver))
		if err := records.Create(t.Context(), storetest.Release(name, 1, release.Deployed)); err != nil {
			t.Fatal(err)
		}
		owner, err := records.Owner(t.Context(), name, 1)
		if err != nil {
			t.Fatal(err)
		}
		if kind != "" && owner.Kind != kind {
			t.Errorf("driver %q keeps records in a %s", driver, owner.Kind)
		}
	}
	if _, err := store.Open("etcd", objects, "prod", now()); err == nil || !strings.Contains(err.Error(), `"etcd"`) {
		t.Errorf("an unknown driver gave %v", err)
	}
}

func read(t *testing.T, objects store.Objects, name string) *unstructured.Unstructured {
	t.Helper()
	obj, err := objects.Get(t.Context(), secrets, "prod", name)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheSecretIsHelms(t *testing.T) {
	objects := store.NewMemory()
	records := store.NewSecrets(objects, "prod", now())
	r := storetest.Release("shop", 4, release.PendingUpgrade)
	r.Labels["owner"] = "me" // Helm's own labels win
	must(t, records.Create(t.Context(), r))
	r.SetStatus(release.Deployed, "Upgrade complete")
	must(t, records.Update(t.Context(), r))

	obj := read(t, objects, "sh.helm.release.v1.shop.v4")
	want := map[string]string{
		"name": "shop", "owner": "helm", "status": "deployed", "version": "4", "team": "blue",
		"createdAt": "1700000001", "modifiedAt": "1700000002",
	}
	if diff := cmp.Diff(want, obj.GetLabels()); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if obj.Object["type"] != "helm.sh/release.v1" || obj.GetKind() != "Secret" || obj.GetAPIVersion() != "v1" {
		t.Errorf("the object is %v %v %v", obj.GetAPIVersion(), obj.GetKind(), obj.Object["type"])
	}
	data, _, _ := unstructured.NestedString(obj.Object, "data", "release")
	encoded, err := base64.StdEncoding.DecodeString(data)
	must(t, err)
	if got, err := release.Decode(encoded); err != nil || got.Info.Description != "Upgrade complete" {
		t.Errorf("the data holds %v, %v", got, err)
	}
}

// helmSecret puts a Secret that real Helm wrote into the store's backend.
func helmSecret(t *testing.T, objects store.Objects, path string) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", path))
	must(t, err)
	obj := &unstructured.Unstructured{}
	must(t, yaml.Unmarshal(text, &obj.Object))
	stored, err := objects.Create(t.Context(), secrets, obj)
	must(t, err)
	return stored
}

func TestHelmsSecretsAreReadAndListed(t *testing.T) {
	for _, helm := range []string{"helm3", "helm4"} {
		objects := store.NewMemory()
		helmSecret(t, objects, helm+"/superseded.yaml")
		helmSecret(t, objects, helm+"/rolledback.yaml")
		records := store.NewSecrets(objects, "prod", now())
		history, err := records.History(t.Context(), "shop")
		must(t, err)
		if len(history) != 2 || history[0].Labels["team"] != "blue" || history[1].Info.Status != release.Deployed {
			t.Errorf("%s: history is %+v", helm, history)
		}
		listed, err := records.List(t.Context(), store.ListOptions{})
		must(t, err)
		if len(listed) != 1 || listed[0].Revision != 4 || listed[0].ChartMetadata().Name != "web" {
			t.Errorf("%s: listed %+v", helm, listed)
		}
	}
}

// spy counts requests and lets a test come between.
type spy struct {
	store.Objects
	gets, lists int
	before      func(verb string) error
	after       func(verb string) error
}

func (s *spy) around(verb string, call func() error) error {
	if s.before != nil {
		if err := s.before(verb); err != nil {
			return err
		}
	}
	if err := call(); err != nil {
		return err
	}
	if s.after != nil {
		return s.after(verb)
	}
	return nil
}

func (s *spy) Get(ctx context.Context, gvr schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	s.gets++
	return s.Objects.Get(ctx, gvr, namespace, name)
}

func (s *spy) List(ctx context.Context, gvr schema.GroupVersionResource, namespace, selector string) ([]unstructured.Unstructured, error) {
	s.lists++
	return s.Objects.List(ctx, gvr, namespace, selector)
}

func (s *spy) Create(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (out *unstructured.Unstructured, err error) {
	err = s.around("create", func() (err error) { out, err = s.Objects.Create(ctx, gvr, obj); return err })
	return out, err
}

func (s *spy) Update(ctx context.Context, gvr schema.GroupVersionResource, obj *unstructured.Unstructured) (out *unstructured.Unstructured, err error) {
	err = s.around("update", func() (err error) { out, err = s.Objects.Update(ctx, gvr, obj); return err })
	return out, err
}

func TestListDownloadsOnlyWhatHasNoHint(t *testing.T) {
	objects := &spy{Objects: store.NewMemory()}
	records := store.NewSecrets(objects, "prod", now())
	for n := 1; n <= 5; n++ {
		must(t, records.Create(t.Context(), storetest.Release("ours", n, release.Superseded)))
	}
	_, err := records.List(t.Context(), store.ListOptions{})
	must(t, err)
	if objects.gets != 0 || objects.lists != 0 {
		t.Errorf("listing our own took %d gets and %d lists", objects.gets, objects.lists)
	}
	helmSecret(t, objects, "helm4/superseded.yaml")
	helmSecret(t, objects, "helm4/rolledback.yaml")
	listed, err := records.List(t.Context(), store.ListOptions{})
	must(t, err)
	if objects.gets != 1 || objects.lists != 0 || len(listed) != 2 {
		t.Errorf("with one release of Helm's it took %d gets and %d lists for %d releases", objects.gets, objects.lists, len(listed))
	}
}

func TestManyRecordsWithoutHintsAreListedAtOnce(t *testing.T) {
	objects := &spy{Objects: store.NewMemory()}
	records := store.NewSecrets(objects, "prod", now())
	for i := range 20 {
		r := storetest.Release(fmt.Sprintf("r%02d", i), 1, release.Deployed)
		r.Info.Description = strings.Repeat("x", 5000)
		must(t, records.Create(t.Context(), r))
	}
	listed, err := records.List(t.Context(), store.ListOptions{})
	must(t, err)
	if objects.gets != 0 || objects.lists != 1 || len(listed) != 20 {
		t.Errorf("%d gets, %d lists, %d releases", objects.gets, objects.lists, len(listed))
	}
}

func TestStaleHintsAreNotBelieved(t *testing.T) {
	for name, change := range map[string]func(*unstructured.Unstructured){
		"another status": func(obj *unstructured.Unstructured) { relabel(obj, "status", "failed") },
		"written later":  func(obj *unstructured.Unstructured) { relabel(obj, "modifiedAt", "1800000000") },
		"broken": func(obj *unstructured.Unstructured) {
			obj.SetAnnotations(map[string]string{"pintle.dev/outline": "{"})
		},
		"gone": func(obj *unstructured.Unstructured) { obj.SetAnnotations(nil) },
	} {
		objects := &spy{Objects: store.NewMemory()}
		records := store.NewSecrets(objects, "prod", now())
		must(t, records.Create(t.Context(), storetest.Release("shop", 1, release.Deployed)))
		obj := read(t, objects, "sh.helm.release.v1.shop.v1")
		change(obj)
		_, err := objects.Objects.Update(t.Context(), secrets, obj)
		must(t, err)
		objects.gets = 0
		listed, err := records.List(t.Context(), store.ListOptions{})
		must(t, err)
		if objects.gets != 1 || len(listed) != 1 || listed[0].IsOutline() {
			t.Errorf("%s: %d gets, %v", name, objects.gets, listed)
		}
	}
}

func relabel(obj *unstructured.Unstructured, key, value string) {
	labels := obj.GetLabels()
	labels[key] = value
	obj.SetLabels(labels)
}

func TestUpdateKeepsWhatOthersPutThere(t *testing.T) {
	objects := &spy{Objects: store.NewMemory()}
	records := store.NewSecrets(objects, "prod", now())
	r := storetest.Release("shop", 1, release.PendingInstall)
	must(t, records.Create(t.Context(), r))
	// Between our write and our next one somebody adds metadata; the content stays.
	changed := false
	objects.before = func(verb string) error {
		if verb != "update" || changed {
			return nil
		}
		changed = true
		obj := read(t, objects.Objects, "sh.helm.release.v1.shop.v1")
		annotations := obj.GetAnnotations()
		annotations["backup.example/at"] = "noon"
		obj.SetAnnotations(annotations)
		obj.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "y"}})
		obj.SetFinalizers([]string{"example.com/f"})
		_, err := objects.Objects.Update(t.Context(), secrets, obj)
		return err
	}
	r.SetStatus(release.Deployed, "Install complete")
	must(t, records.Update(t.Context(), r))
	obj := read(t, objects.Objects, "sh.helm.release.v1.shop.v1")
	if !changed || obj.GetLabels()["status"] != "deployed" {
		t.Fatalf("the update did not arrive: %v", obj.GetLabels())
	}
	if obj.GetAnnotations()["backup.example/at"] != "noon" || len(obj.GetOwnerReferences()) != 1 || len(obj.GetFinalizers()) != 1 {
		t.Errorf("metadata of others is lost: %v", obj.Object["metadata"])
	}
}

func TestLostAnswers(t *testing.T) {
	lost := errors.New("connection reset by peer")
	objects := &spy{Objects: store.NewMemory()}
	records := store.NewSecrets(objects, "prod", now())
	objects.after = func(string) error { return lost }
	r := storetest.Release("shop", 1, release.PendingInstall)
	if err := records.Create(t.Context(), r); err != nil {
		t.Errorf("a create that has arrived: %v", err)
	}
	objects.after = nil
	objects.before = func(string) error { return lost }
	if err := records.Create(t.Context(), storetest.Release("shop", 2, release.PendingInstall)); !errors.Is(err, lost) {
		t.Errorf("a create that has not arrived: %v", err)
	}
	// The client repeats an update whose answer was lost and meets its own earlier self.
	objects.before = nil
	objects.after = func(verb string) error {
		return apierrors.NewConflict(secrets.GroupResource(), "shop", errors.New("modified"))
	}
	r.SetStatus(release.Deployed, "Install complete")
	if err := records.Update(t.Context(), r); err != nil {
		t.Errorf("an update that has arrived: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	objects := &spy{Objects: store.NewMemory()}
	records := store.NewSecrets(objects, "prod", now())
	forbidden := apierrors.NewForbidden(secrets.GroupResource(), "x", errors.New("no rights"))
	objects.before = func(string) error { return forbidden }
	if err := records.Create(t.Context(), storetest.Release("shop", 1, release.Deployed)); !apierrors.IsForbidden(err) || objects.gets != 0 {
		t.Errorf("got %v after %d gets", err, objects.gets)
	}
	objects.before = func(string) error {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "prod")
	}
	err := records.Create(t.Context(), storetest.Release("shop", 1, release.Deployed))
	if errors.Is(err, release.ErrNotFound) || !strings.Contains(err.Error(), `namespaces "prod" not found`) {
		t.Errorf("a missing namespace gave %v", err)
	}
}

func TestCorruptRecords(t *testing.T) {
	objects := store.NewMemory()
	records := store.NewSecrets(objects, "prod", now())
	for n := 1; n <= 4; n++ {
		must(t, records.Create(t.Context(), storetest.Release("shop", n, release.Superseded)))
	}
	damage := func(n int, data map[string]any) {
		obj := read(t, objects, fmt.Sprintf("sh.helm.release.v1.shop.v%d", n))
		obj.SetAnnotations(nil)
		obj.Object["data"] = data
		_, err := objects.Update(t.Context(), secrets, obj)
		must(t, err)
	}
	damage(1, map[string]any{"release": base64.StdEncoding.EncodeToString([]byte("H4sInonsense"))})
	damage(2, nil)
	third := read(t, objects, "sh.helm.release.v1.shop.v3")
	damage(4, third.Object["data"].(map[string]any))

	for n, says := range map[int]string{1: "compressed data is damaged", 2: "no data", 4: "it is that of revision 3 of release shop"} {
		_, err := records.Get(t.Context(), "shop", n)
		var de *release.DecodeError
		if !errors.As(err, &de) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), fmt.Sprintf("revision %d of release shop", n)) {
			t.Errorf("revision %d: got %v, want %q", n, err, says)
		}
	}
	for name, all := range map[string]func(context.Context, string) ([]*release.Release, error){"history": records.History, "outlines": records.Outlines} {
		got, err := all(t.Context(), "shop")
		if len(got) != 1 || got[0].Revision != 3 || err == nil || strings.Count(err.Error(), "\n") != 2 {
			t.Errorf("%s gave %d records and %v", name, len(got), err)
		}
	}
	entries, err := records.Index(t.Context(), "shop")
	if err != nil || len(entries) != 4 {
		t.Errorf("the index has %d entries, %v", len(entries), err)
	}
}

func TestTooBigIsRefusedBeforeTheCluster(t *testing.T) {
	objects := &spy{Objects: store.NewMemory()}
	records := store.NewSecrets(objects, "prod", now())
	noise := make([]byte, 2<<20)
	rand.New(rand.NewSource(1)).Read(noise)
	r := storetest.Release("shop", 1, release.PendingInstall)
	r.Manifest = base64.StdEncoding.EncodeToString(noise)
	objects.before = func(verb string) error { t.Errorf("a %s was sent", verb); return nil }
	var big *release.TooBigError
	if err := records.Create(t.Context(), r); !errors.As(err, &big) || !strings.Contains(err.Error(), "the rendered manifest") {
		t.Errorf("got %v", err)
	}
}

func TestARecordThatHasGrownLosesItsTemplates(t *testing.T) {
	records := store.NewSecrets(store.NewMemory(), "prod", now())
	noise := make([]byte, 1<<20)
	rand.New(rand.NewSource(1)).Read(noise)
	r := storetest.Release("shop", 1, release.Deployed)
	r.Chart = []byte(`{"metadata":{"name":"web"},"templates":[{"name":"a","data":"` + base64.StdEncoding.EncodeToString(noise) + `"}],"values":{"a":1}}`)
	must(t, records.Create(t.Context(), r))
	got, err := records.Get(t.Context(), "shop", 1)
	must(t, err)
	if got.ChartMetadata().Name != "web" || got.Manifest != r.Manifest || strings.Contains(string(got.Chart), `"data"`) {
		t.Errorf("stored chart is %s", got.Chart)
	}
}

func TestOwnerNamesTheSecret(t *testing.T) {
	objects := store.NewMemory()
	must(t, store.NewSecrets(objects, "prod", now()).Create(t.Context(), storetest.Release("shop", 1, release.Deployed)))
	owner, err := store.NewSecrets(objects, "prod", now()).Owner(t.Context(), "shop", 1)
	must(t, err)
	want := metav1.OwnerReference{APIVersion: "v1", Kind: "Secret", Name: "sh.helm.release.v1.shop.v1", UID: read(t, objects, "sh.helm.release.v1.shop.v1").GetUID()}
	if diff := cmp.Diff(want, *owner); diff != "" || owner.UID == "" {
		t.Errorf("owner (-want +got):\n%s", diff)
	}
	if _, err := store.NewSecrets(objects, "prod", now()).Owner(t.Context(), "shop", 2); !errors.Is(err, release.ErrNotFound) {
		t.Errorf("the owner of nothing: %v", err)
	}
}

func TestForeignObjectsAreNotRecords(t *testing.T) {
	objects := store.NewMemory()
	for _, name := range []string{"mine", "sh.helm.release.v1.shop", "sh.helm.release.v1.shop.vx", "sh.helm.release.v1.other.v1"} {
		obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret"}}
		obj.SetName(name)
		obj.SetNamespace("prod")
		obj.SetLabels(map[string]string{"owner": "helm", "name": "shop", "version": "1"})
		_, err := objects.Create(t.Context(), secrets, obj)
		must(t, err)
	}
	records := store.NewSecrets(objects, "prod", now())
	entries, err := records.Index(t.Context(), "shop")
	must(t, err)
	history, err := records.History(t.Context(), "shop")
	must(t, err)
	listed, err := records.List(t.Context(), store.ListOptions{})
	must(t, err)
	if len(entries)+len(history)+len(listed) != 0 {
		t.Errorf("found %v, %v, %v", entries, history, listed)
	}
}

func TestLimitKeepsTheDeployedRevision(t *testing.T) {
	for _, tc := range []struct {
		limit    int
		statuses []release.Status
		want     []int
	}{
		{3, []release.Status{release.Deployed, release.Failed, release.Failed, release.Failed}, []int{1, 4, 5}},
		{3, []release.Status{release.Superseded, release.Superseded, release.Deployed}, []int{2, 3, 4}},
		{1, []release.Status{release.Superseded, release.Deployed}, []int{2, 3}},
		{10, []release.Status{release.Superseded, release.Deployed}, []int{1, 2, 3}},
		{0, []release.Status{release.Superseded, release.Deployed}, []int{1, 2, 3}},
	} {
		plain := store.NewSecrets(store.NewMemory(), "prod", now())
		for i, status := range tc.statuses {
			must(t, plain.Create(t.Context(), storetest.Release("shop", i+1, status)))
		}
		limited := store.Limit(plain, tc.limit, func(err error) { t.Error(err) })
		must(t, limited.Create(t.Context(), storetest.Release("shop", len(tc.statuses)+1, release.PendingUpgrade)))
		entries, err := limited.Index(t.Context(), "shop")
		must(t, err)
		var got []int
		for _, e := range entries {
			got = append(got, e.Revision)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", tc.limit, diff)
		}
	}
}

// undeletable refuses every deletion.
type undeletable struct{ store.Records }

func (undeletable) Delete(context.Context, *release.Release) error { return errors.New("not allowed") }

func TestLimitGoesOnWhenItCannotPrune(t *testing.T) {
	plain := store.NewSecrets(store.NewMemory(), "prod", now())
	must(t, plain.Create(t.Context(), storetest.Release("shop", 1, release.Superseded)))
	var told error
	limited := store.Limit(undeletable{plain}, 1, func(err error) { told = err })
	must(t, limited.Create(t.Context(), storetest.Release("shop", 2, release.PendingUpgrade)))
	if told == nil || !strings.Contains(told.Error(), "not allowed") {
		t.Errorf("told %v", told)
	}
}

func TestObserveTellsOfEveryWrite(t *testing.T) {
	var told []string
	records := store.Observe(store.NewSecrets(store.NewMemory(), "prod", now()), func(v store.Verb, r *release.Release, err error) {
		told = append(told, fmt.Sprint(v, " ", r.Revision, " ", err == nil))
	})
	r := storetest.Release("shop", 1, release.PendingInstall)
	must(t, records.Create(t.Context(), r))
	_ = records.Create(t.Context(), storetest.Release("shop", 1, release.Failed))
	must(t, records.Update(t.Context(), r))
	must(t, records.Delete(t.Context(), r))
	want := []string{"created 1 true", "created 1 false", "updated 1 true", "deleted 1 true"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
