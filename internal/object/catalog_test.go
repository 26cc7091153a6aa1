package object_test

import (
	"testing"

	"github.com/pintle-dev/pintle/internal/object"
)

func TestCatalogNamed(t *testing.T) {
	of := func(group, version, kind string) object.Resource {
		return object.Resource{GVK: object.Ref{Group: group, Version: version, Kind: kind}.GVK()}
	}
	c := object.NewCatalog([]object.Resource{
		of("networking.k8s.io", "v1", "Ingress"), of("networking.k8s.io", "v1beta1", "Ingress"), of("config.example.com", "v2", "Ingress"), of("apps", "v1", "Deployment"),
	})
	got := c.Named("Ingress")
	if len(got) != 2 || got[0].GVK.Group != "config.example.com" || got[1].GVK.Version != "v1" {
		t.Errorf("got %v", got)
	}
	if len(c.Named("Gadget")) != 0 {
		t.Error("found what is not there")
	}
}
