package kube

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// twoPages are the metadata of a list that comes in two answers.
func twoPages(page string) metav1.PartialObjectMetadataList {
	item := metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Name: "record" + page, Namespace: "ns", UID: "uid-1", ResourceVersion: "7",
		Labels: map[string]string{"owner": "helm"}, Annotations: map[string]string{"hint": `{"v":2}`},
		OwnerReferences: []metav1.OwnerReference{{Kind: "Secret", Name: "owner"}},
	}}
	list := metav1.PartialObjectMetadataList{ListMeta: metav1.ListMeta{ResourceVersion: "9"}, Items: []metav1.PartialObjectMetadata{item}}
	if page == "" {
		list.Continue = "2"
	}
	return list
}

// packed is an answer in Kubernetes' form of protobuf.
func packed(t *testing.T, kind string, list metav1.PartialObjectMetadataList) []byte {
	t.Helper()
	raw, err := list.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	envelope := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: kind}, Raw: raw}
	content, err := envelope.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("k8s\x00"), content...)
}

// Metadata is asked for in the form that is read fastest, and taken in any that
// comes.
func TestMetadataIsReadInTheFormInWhichItComes(t *testing.T) {
	secrets := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	answers := map[string]func(w http.ResponseWriter, page string){
		"protobuf": func(w http.ResponseWriter, page string) {
			_, _ = w.Write(packed(t, "PartialObjectMetadataList", twoPages(page)))
		},
		"JSON": func(w http.ResponseWriter, page string) { reply(w, twoPages(page)) },
		"one of each": func(w http.ResponseWriter, page string) {
			if page == "" {
				_, _ = w.Write(packed(t, "PartialObjectMetadataList", twoPages(page)))
				return
			}
			reply(w, twoPages(page))
		},
	}
	want := slices.Concat(twoPages("").Items, twoPages("2").Items)
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			w := &wire{handle: func(w http.ResponseWriter, r *http.Request) {
				forms := strings.Split(r.Header.Get("Accept"), ",")
				if !strings.HasPrefix(forms[0], "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList") || forms[len(forms)-1] != "application/json" {
					t.Error("accepted are", forms)
				}
				answer(w, r.URL.Query().Get("continue"))
			}}
			got, err := w.client(Options{}).Objects().ListMetadata(t.Context(), secrets, "ns", "owner=helm")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An answer that is something else, or that was cut off, is an error and not an
// empty list: whoever asks would take what is there for gone.
func TestMetadataThatCannotBeReadIsAnError(t *testing.T) {
	whole := packed(t, "PartialObjectMetadataList", twoPages("2"))
	for name, body := range map[string][]byte{
		"another kind": packed(t, "Status", metav1.PartialObjectMetadataList{}),
		"cut off":      whole[:len(whole)-3],
		"no envelope":  []byte("k8s\x00\xff\xff"),
		"no JSON":      []byte("<html>"),
	} {
		w := &wire{handle: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }}
		got, err := w.client(Options{}).Objects().ListMetadata(t.Context(), schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, "ns", "")
		if err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
