package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

// bench is one run of the benchmark.
type bench struct {
	options
	tools  []tool
	home   string
	client *dynamic.DynamicClient
	proxy  *proxy
	// namespaces are those that this run has used.
	namespaces map[string]bool
	results    *results
	// began is when the run began, deadline when it is to end, until when the
	// present scenario begins no further round.
	began, deadline, until time.Time
}

// place is the namespace in which releases live their lives.
const place = "bench"

var (
	namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	configs    = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	secrets    = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	jobs       = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}
	pods       = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

// newBench finds the tools and connects; the cluster is not touched yet.
func newBench(o options) (*bench, error) {
	b := &bench{options: o, began: time.Now(), namespaces: map[string]bool{}}
	b.deadline = b.began.Add(o.limit)
	bin, err := filepath.Abs(o.bin)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"pintle", "helm", "helm3"} {
		path := filepath.Join(bin, name)
		if _, err := os.Stat(path); err == nil {
			b.tools = append(b.tools, tool{name, path})
		}
	}
	if len(b.tools) < 2 || b.tools[0].name != "pintle" || b.tools[1].name != "helm" {
		return nil, fmt.Errorf("pintle and helm are not both in %s: make build helm", bin)
	}
	if b.home, err = os.MkdirTemp("", "pintle-bench"); err != nil {
		return nil, err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return nil, err
	}
	cfg.QPS = -1
	if b.client, err = dynamic.NewForConfig(cfg); err != nil {
		return nil, err
	}
	if b.proxy, err = newProxy(cfg, b.home); err != nil {
		return nil, err
	}
	if b.results, err = openResults(o.out, o.machine); err != nil {
		return nil, err
	}
	b.results.into = o.page
	return b, nil
}

func (b *bench) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for ns := range b.namespaces {
		if !b.keep {
			_ = b.client.Resource(namespaces).Delete(ctx, ns, metav1.DeleteOptions{}) // a namespace that stays costs nothing
		}
	}
	b.proxy.close()
	_ = os.RemoveAll(b.home)
}

// namespace makes a namespace unless it is there; one that is going away is
// waited for.
func (b *bench) namespace(ctx context.Context, name string) error {
	b.namespaces[name] = true
	ns := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}}
	return wait.PollUntilContextTimeout(ctx, time.Second, 5*time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := b.client.Resource(namespaces).Create(ctx, ns, metav1.CreateOptions{})
		if !apierrors.IsAlreadyExists(err) {
			return err == nil, err
		}
		live, err := b.client.Resource(namespaces).Get(ctx, name, metav1.GetOptions{})
		return err == nil && live.GetDeletionTimestamp() == nil, nil
	})
}

// seed fills a namespace once: a mark tells a later scenario, or a later run,
// that it is full.
func (b *bench) seed(ctx context.Context, ns string, fill func(context.Context, *errgroup.Group) error) error {
	if err := b.namespace(ctx, ns); err != nil {
		return err
	}
	if _, err := b.client.Resource(configs).Namespace(ns).Get(ctx, "seeded", metav1.GetOptions{}); err == nil {
		return nil
	}
	began := time.Now()
	group, filling := errgroup.WithContext(ctx)
	group.SetLimit(24)
	if err := fill(filling, group); err != nil {
		return err
	}
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "  filled %s in %s\n", ns, time.Since(began).Round(time.Second))
	return b.create(ctx, configs, ns, "seeded", "ConfigMap", nil)
}

// furnish fills the namespace of releases with what real ones hold: foreign
// ConfigMaps and foreign release records.
func (b *bench) furnish(ctx context.Context) error {
	return b.seed(ctx, place, func(ctx context.Context, group *errgroup.Group) error {
		for i := range 1000 {
			group.Go(func() error {
				return b.create(ctx, configs, place, fmt.Sprintf("foreign-%d", i), "ConfigMap", map[string]any{"data": map[string]any{"key": "value"}})
			})
		}
		content := noise(500 << 10)
		for i := range 200 {
			group.Go(func() error {
				name := fmt.Sprintf("sh.helm.release.v1.foreign-%d.v1", i)
				return b.create(ctx, secrets, place, name, "Secret", map[string]any{
					"type": "helm.sh/release.v1", "data": map[string]any{"release": content},
					"labels": map[string]any{"owner": "helm", "name": fmt.Sprintf("foreign-%d", i), "status": "deployed", "version": "1"},
				})
			})
		}
		return nil
	})
}

func (b *bench) create(ctx context.Context, gvr schema.GroupVersionResource, ns, name, kind string, fields map[string]any) error {
	meta := map[string]any{"name": name, "namespace": ns}
	obj := map[string]any{"apiVersion": gvr.GroupVersion().String(), "kind": kind, "metadata": meta}
	for k, v := range fields {
		if k == "labels" {
			meta[k] = v
			continue
		}
		obj[k] = v
	}
	_, err := b.client.Resource(gvr).Namespace(ns).Create(ctx, &unstructured.Unstructured{Object: obj}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// noise is base64 text of n bytes that does not compress further.
func noise(n int) string {
	raw := make([]byte, n*3/4)
	_, _ = rand.Read(raw) // it never fails
	return base64.StdEncoding.EncodeToString(raw)
}
