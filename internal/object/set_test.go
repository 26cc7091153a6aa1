package object_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pintle-dev/pintle/internal/object"
)

func TestSetIsByIdentityAndKeepsOrder(t *testing.T) {
	web := object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "n", Name: "web"}
	webOld := web
	webOld.Version = "v1beta1"
	db := object.Ref{Group: "apps", Version: "v1", Kind: "StatefulSet", Namespace: "n", Name: "db"}
	elsewhere := web
	elsewhere.Namespace = "m"

	s := object.NewSet(db, web, webOld, elsewhere)
	if diff := cmp.Diff([]object.Ref{db, web, elsewhere}, s.Refs()); diff != "" {
		t.Errorf("refs (-want +got):\n%s", diff)
	}
	if got, ok := s.Get(webOld.Key()); !ok || got != web {
		t.Errorf("found %v, %v by its other version", got, ok)
	}
	if diff := cmp.Diff([]object.Ref{db, elsewhere}, s.Minus(object.NewSet(webOld)).Refs()); diff != "" {
		t.Errorf("difference (-want +got):\n%s", diff)
	}
	var zero object.Set
	if zero.Has(db.Key()) || !zero.Add(db) || zero.Add(db) || zero.Len() != 1 {
		t.Error("the zero value is not a working set")
	}
}
