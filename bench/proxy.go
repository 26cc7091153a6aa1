package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
)

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
	_, _, err := b.exec(ctx, b.proxy.kubeconfig, t, args...)
	return b.proxy.count.Load() - before, err
}
