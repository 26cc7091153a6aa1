package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// bench is one run of the benchmark.
type bench struct {
	options
	tools  []tool
	home   string
	client *dynamic.DynamicClient
	proxy  *proxy
}

var (
	namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	configs    = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	secrets    = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	jobs       = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}
	pods       = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

// newBench finds the tools, connects, and fills the namespace with what real
// ones hold: objects and records of others.
func newBench(o options) (*bench, error) {
	b := &bench{options: o}
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
	if len(b.tools) < 2 || b.tools[0].name != "pintle" {
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
	return b, b.furnish(context.Background(), "bench", 1000, 200, 500<<10)
}

func (b *bench) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, ns := range []string{"bench", "bench-list-helm", "bench-list-pintle"} {
		_ = b.client.Resource(namespaces).Delete(ctx, ns, metav1.DeleteOptions{}) // it may never have been made
	}
	b.proxy.close()
	_ = os.RemoveAll(b.home)
}

// namespace makes a namespace unless it is there.
func (b *bench) namespace(ctx context.Context, name string) error {
	ns := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}}
	_, err := b.client.Resource(namespaces).Create(ctx, ns, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// furnish fills a namespace with foreign ConfigMaps and foreign release records.
func (b *bench) furnish(ctx context.Context, ns string, maps, records, size int) error {
	if err := b.namespace(ctx, ns); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := range maps {
		group.Go(func() error {
			return b.create(ctx, configs, ns, fmt.Sprintf("foreign-%d", i), "ConfigMap", map[string]any{"data": map[string]any{"key": "value"}})
		})
	}
	for i := range records {
		group.Go(func() error {
			name := fmt.Sprintf("sh.helm.release.v1.foreign-%d.v1", i)
			return b.create(ctx, secrets, ns, name, "Secret", map[string]any{
				"type": "helm.sh/release.v1", "data": map[string]any{"release": noise(size * 3 / 4)},
				"labels": map[string]any{"owner": "helm", "name": fmt.Sprintf("foreign-%d", i), "status": "deployed", "version": "1"},
			})
		})
	}
	return group.Wait()
}

func (b *bench) create(ctx context.Context, gvr schema.GroupVersionResource, ns, name, kind string, fields map[string]any) error {
	meta := map[string]any{"name": name, "namespace": ns}
	if labels, ok := fields["labels"]; ok {
		meta["labels"] = labels
		delete(fields, "labels")
	}
	obj := map[string]any{"apiVersion": "v1", "kind": kind, "metadata": meta}
	for k, v := range fields {
		obj[k] = v
	}
	_, err := b.client.Resource(gvr).Namespace(ns).Create(ctx, &unstructured.Unstructured{Object: obj}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// noise is base64 text that does not compress, of n bytes before encoding.
func noise(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // it never fails
	return base64.StdEncoding.EncodeToString(raw)
}

// proxy counts requests on their way to the API server.
type proxy struct {
	kubeconfig string
	server     *http.Server
	count      atomic.Int64
}

// newProxy listens on loopback and writes a kubeconfig that leads to it.
func newProxy(cfg *rest.Config, dir string) (*proxy, error) {
	target, err := url.Parse(cfg.Host)
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(cfg)
	if err != nil {
		return nil, err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.Transport, forward.FlushInterval = transport, -1
	p := &proxy{kubeconfig: filepath.Join(dir, "counted.kubeconfig")}
	p.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.count.Add(1)
		forward.ServeHTTP(w, r)
	})}
	go func() { _ = p.server.Serve(listener) }() // ends with close
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: 'http://%s'}}]\n"+
		"contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n", listener.Addr())
	return p, os.WriteFile(p.kubeconfig, []byte(text), 0o600)
}

func (p *proxy) close() { _ = p.server.Close() }

// counted runs a command and gives the number of its requests.
func (b *bench) counted(ctx context.Context, t tool, args ...string) (int64, error) {
	before := b.proxy.count.Load()
	_, err := b.exec(ctx, b.proxy.kubeconfig, t, args...)
	return b.proxy.count.Load() - before, err
}
