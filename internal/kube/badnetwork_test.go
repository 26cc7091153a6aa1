package kube_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/pintle-dev/pintle/internal/ledger"
	"github.com/pintle-dev/pintle/internal/object"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// cable is a TCP proxy whose connections can be cut.
type cable struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	conns map[net.Conn]bool
	dead  bool
}

// throughCable gives a client whose every connection goes through a cable.
func throughCable(t *testing.T, namespace string) (*kube.Client, *cable) {
	t.Helper()
	path := os.Getenv("PINTLE_E2E_KUBECONFIG")
	direct, err := kube.Connect(kube.Options{Kubeconfig: path})
	if err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(direct.Target().Address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: listener, to: server.Host, conns: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Go(func() { c.run(&running) })
	t.Cleanup(func() {
		_ = listener.Close()
		c.cut()
		running.Wait()
	})
	client, err := kube.Connect(kube.Options{
		Kubeconfig: path, Namespace: namespace, APIServer: "https://" + listener.Addr().String(), TLSServerName: server.Hostname(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, c
}

func (c *cable) run(running *sync.WaitGroup) {
	for {
		in, err := c.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", c.to)
		if err != nil || !c.keep(in, out) {
			_ = in.Close()
			continue
		}
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			running.Go(func() {
				_, _ = io.Copy(pair[0], pair[1]) // ends when either side is closed
				_ = pair[0].Close()
				_ = pair[1].Close()
			})
		}
	}
}

func (c *cable) keep(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		c.conns[conn] = true
		if c.dead {
			_ = conn.Close()
		}
	}
	return !c.dead
}

// cut ends all connections; new ones come through, unless it is dead.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		_ = conn.Close()
	}
	clear(c.conns)
}

func (c *cable) kill(dead bool) {
	c.mu.Lock()
	c.dead = dead
	c.mu.Unlock()
	c.cut()
}

func TestRealLogsOverABadNetwork(t *testing.T) {
	direct, ns := realCluster(t)
	c, cable := throughCable(t, ns)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	seen, err := c.Watch(ctx, []object.Target{{Version: "v1", Kind: "Pod", Namespace: ns, Name: "counter"}})
	if err != nil {
		t.Fatal(err)
	}
	create(t, direct, `
apiVersion: v1
kind: Pod
metadata: {name: counter}
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: busybox:1.36
    command: [sh, -c, 'i=0; while [ $i -lt 600 ]; do i=$((i+1)); echo line $i; [ $((i % 20)) = 0 ] && sleep 0.2; done; true']
`)
	pod := object.Ref{Version: "v1", Kind: "Pod", Namespace: ns, Name: "counter"}
	var got []string
	followed := make(chan error, 1)
	go func() {
		followed <- c.Follow(ctx, pod, "main", func(l ledger.Line) { got = append(got, l.Text) })
	}()
	stop := make(chan struct{})
	var cutting sync.WaitGroup
	cutting.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(700 * time.Millisecond):
			}
			if n == 3 { // for a while nothing gets through at all
				cable.kill(true)
				time.Sleep(3 * time.Second)
				cable.kill(false)
			}
			cable.cut()
		}
	})
	err = <-followed
	close(stop)
	cutting.Wait()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 600 {
		want = append(want, fmt.Sprint("line ", i+1))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d lines, want %d: %.2000q", len(got), len(want), got)
	}
	for o := range seen {
		if phase, _, _ := unstructured.NestedString(first(o.Object).Object, "status", "phase"); phase == "Succeeded" {
			break
		}
	}
	if ctx.Err() != nil {
		t.Error("the watch has not told that the pod succeeded")
	}
	t.Log("requests", c.Requests())
}

func TestRealRequestsOverABadNetwork(t *testing.T) {
	_, ns := realCluster(t)
	c, cable := throughCable(t, ns)
	if _, _, err := c.Discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var cutting sync.WaitGroup
	cutting.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(30 * time.Millisecond):
				cable.cut()
			}
		}
	})
	defer cutting.Wait()
	defer close(stop)
	for i := range 100 {
		apply(t, c, fmt.Sprintf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: c%d}, data: {n: "%d"}}`, i, i))
	}
	t.Log("requests", c.Requests())
}
