package e2e

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// proxy stands between pintle and the API server, over TLS and HTTP/2 as both
// speak it. It keeps what was asked and, where it is told to, has trouble.
type proxy struct {
	server *httptest.Server
	door   *door
	target *url.URL
	// admin adds the credentials of the tests, plain leaves the caller's own.
	admin, plain http.RoundTripper
	// own tells that callers bring their own credentials.
	own bool

	mu sync.Mutex
	// trouble says what becomes of a request; nil for nothing. It is called with
	// the lock held, with how often the same was asked before.
	trouble func(r asked, before int) mishap
	counts  map[string]int
	log     []asked
	// held are until when each request may not be asked again, by what it asks.
	held   map[string]time.Time
	hasty  []string
	mishap map[string]int
}

// asked is one request as the proxy saw it.
type asked struct {
	method, path string
	query        url.Values
	at           time.Time
	status       int
	mishap       string
}

// what is asked, whatever the version or the time in its query.
func (a asked) what() string {
	what := a.method + " " + a.path
	if a.query.Get("watch") != "" {
		return what + " watch"
	}
	return what + "?" + a.query.Encode()
}

func (a asked) watch() bool { return a.query.Get("watch") == "true" }
func (a asked) follow() bool {
	return strings.HasSuffix(a.path, "/log") && a.query.Get("follow") == "true"
}

// mishap is what becomes of one request. The zero value is none.
type mishap struct {
	// kind is one of the constants below.
	kind string
	// code and after are those of a refusal.
	code, after int
	// delay comes before all else; cut is when a stream ends.
	delay, cut time.Duration
}

const (
	unsent    = "reset before sending"
	lost      = "answer lost"
	refused   = "refused"
	truncated = "truncated"
	delayed   = "delayed"
	cutOff    = "stream cut"
	outage    = "went down"
)

// startProxy begins to listen on loopback; plainHTTP1 leaves HTTP/2 out.
func startProxy(t *testing.T, c *cluster, plainHTTP1 bool) *proxy {
	t.Helper()
	config, err := clientcmd.NewDefaultClientConfig(*c.config, nil).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{counts: map[string]int{}, held: map[string]time.Time{}, mishap: map[string]int{}}
	if p.target, err = url.Parse(config.Host); err != nil {
		t.Fatal(err)
	}
	if p.admin, err = rest.TransportFor(config); err != nil {
		t.Fatal(err)
	}
	if p.plain, err = rest.TransportFor(rest.AnonymousClientConfig(config)); err != nil {
		t.Fatal(err)
	}
	if p.door, err = openDoor(); err != nil {
		t.Fatal(err)
	}
	p.server = httptest.NewUnstartedServer(p)
	_ = p.server.Listener.Close() // ours takes its place
	p.server.Listener, p.server.EnableHTTP2 = p.door, !plainHTTP1
	p.server.Config.ErrorLog = nil
	p.server.StartTLS()
	t.Cleanup(func() {
		p.door.shut()
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

// kubeconfig leads to the proxy, with the namespace preset; a token is sent
// along where there is one.
func (p *proxy) kubeconfig(t *testing.T, namespace, token, file string) {
	t.Helper()
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
	config := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"proxy": {Server: "https://" + p.door.address, CertificateAuthorityData: cert}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"me": {Token: token}},
		Contexts:       map[string]*clientcmdapi.Context{"proxy": {Cluster: "proxy", AuthInfo: "me", Namespace: namespace}},
		CurrentContext: "proxy",
	}
	if err := clientcmd.WriteToFile(config, file); err != nil {
		t.Fatal(err)
	}
}

// troubles sets what becomes of requests from now on; nil for nothing.
func (p *proxy) troubles(trouble func(r asked, before int) mishap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble = trouble
}

// requests are all that were answered so far.
func (p *proxy) requests() []asked {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]asked(nil), p.log...)
}

// summary counts the mishaps by kind.
func (p *proxy) summary() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("%d requests, mishaps %v", len(p.log), p.mishap)
}

// begin notes a request and says what is to become of it.
func (p *proxy) begin(a asked) mishap {
	p.mu.Lock()
	defer p.mu.Unlock()
	what := a.what()
	before := p.counts[what]
	p.counts[what]++
	if until := p.held[what]; a.at.Before(until) {
		p.hasty = append(p.hasty, fmt.Sprintf("%s came %s too early", what, until.Sub(a.at)))
	}
	delete(p.held, what)
	if p.trouble == nil {
		return mishap{}
	}
	m := p.trouble(a, before)
	if m.kind != "" {
		p.mishap[m.kind]++
		a.mishap = fmt.Sprintf("%s (%d, Retry-After %d, delay %s, cut %s)", m.kind, m.code, m.after, m.delay, m.cut)
		p.log = append(p.log, a)
	}
	if m.after > 0 {
		p.held[what] = time.Now().Add(time.Duration(m.after)*time.Second - 50*time.Millisecond)
	}
	return m
}

// story tells all that was asked since then, for whoever looks for what went wrong.
func (p *proxy) story(since time.Time) string {
	var out strings.Builder
	for _, a := range p.requests() {
		if !a.at.Before(since) {
			fmt.Fprintf(&out, "%8.2fs %s %d %s\n", a.at.Sub(since).Seconds(), a.what(), a.status, a.mishap)
		}
	}
	return out.String()
}

func (p *proxy) end(a asked, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.status = status
	p.log = append(p.log, a)
}

// ServeHTTP passes a request on, or has trouble with it.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := asked{method: r.Method, path: r.URL.Path, query: r.URL.Query(), at: time.Now()}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	m := p.begin(a)
	select {
	case <-time.After(m.delay):
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
	switch m.kind {
	case unsent:
		panic(http.ErrAbortHandler)
	case outage:
		go p.door.outage(m.cut)
		panic(http.ErrAbortHandler)
	case refused:
		w.Header().Set("Retry-After", fmt.Sprint(m.after))
		http.Error(w, "the proxy has trouble", m.code)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if m.cut > 0 {
		defer time.AfterFunc(m.cut, cancel).Stop()
	}
	resp, err := p.forward(ctx, r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	p.end(a, resp.StatusCode)
	p.answer(w, resp, m)
}

func (p *proxy) forward(ctx context.Context, r *http.Request, body []byte) (*http.Response, error) {
	u := *p.target
	u.Path, u.RawQuery = r.URL.Path, r.URL.RawQuery
	out, err := http.NewRequestWithContext(ctx, r.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out.Header = r.Header.Clone()
	out.Header.Del("Accept-Encoding")
	if p.own {
		return p.plain.RoundTrip(out)
	}
	out.Header.Del("Authorization")
	return p.admin.RoundTrip(out)
}

// answer hands the answer on, as far as the mishap lets it.
func (p *proxy) answer(w http.ResponseWriter, resp *http.Response, m mishap) {
	if m.kind == lost || m.kind == truncated {
		whole, err := io.ReadAll(resp.Body)
		if m.kind == lost || err != nil {
			panic(http.ErrAbortHandler)
		}
		copyHeader(w, resp)
		w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
		w.WriteHeader(resp.StatusCode)
		_, _ = w.Write(whole[:len(whole)/2]) // the other end may be gone
		flush(w)
		panic(http.ErrAbortHandler)
	}
	copyHeader(w, resp)
	w.WriteHeader(resp.StatusCode)
	flush(w)
	buffer := make([]byte, 16<<10)
	for {
		n, err := resp.Body.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return
			}
			flush(w)
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

func copyHeader(w http.ResponseWriter, resp *http.Response) {
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
}

func flush(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

// badNetwork has a mishap in that share of requests (streams break more often),
// chosen by seed and request, so that a run can be told again.
func badNetwork(seed uint64, share float64) func(asked, int) mishap {
	return func(a asked, before int) mishap {
		sum := fnv.New64a()
		fmt.Fprintf(sum, "%s#%d", a.what(), before)
		r := rand.New(rand.NewPCG(seed, sum.Sum64()))
		if a.watch() || a.follow() {
			if r.Float64() < 4*share {
				return mishap{kind: cutOff, cut: 1 + rand.N(3*time.Second)}
			}
		}
		if r.Float64() >= share {
			return mishap{}
		}
		kinds := []string{unsent, lost, truncated, delayed, refused, refused}
		switch kind := kinds[r.IntN(len(kinds))]; kind {
		case delayed:
			return mishap{kind: delayed, delay: time.Duration(r.Int64N(int64(2 * time.Second)))}
		case refused:
			codes := []int{http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
			return mishap{kind: refused, code: codes[r.IntN(len(codes))], after: 1}
		default:
			return mishap{kind: kind}
		}
	}
}

// door is a listener that can be shut, so that its port refuses connections,
// and opened again.
type door struct {
	address string

	mu     sync.Mutex
	inner  net.Listener
	conns  map[net.Conn]bool
	opened chan struct{}
	closed bool
}

func openDoor() (*door, error) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &door{address: inner.Addr().String(), inner: inner, conns: map[net.Conn]bool{}, opened: make(chan struct{})}, nil
}

// Accept waits through outages.
func (d *door) Accept() (net.Conn, error) {
	for {
		d.mu.Lock()
		inner, opened, closed := d.inner, d.opened, d.closed
		d.mu.Unlock()
		if closed {
			return nil, net.ErrClosed
		}
		if inner == nil {
			<-opened
			continue
		}
		conn, err := inner.Accept()
		if err != nil {
			continue // shut meanwhile, or closed
		}
		d.mu.Lock()
		d.conns[conn] = true
		d.mu.Unlock()
		return conn, nil
	}
}

// Close ends it for good.
func (d *door) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	if d.inner == nil {
		close(d.opened)
		return nil
	}
	return d.inner.Close()
}

// Addr is where it listens.
func (d *door) Addr() net.Addr {
	addr, _ := net.ResolveTCPAddr("tcp", d.address) // it was an address when we listened there
	return addr
}

// shut refuses connections and breaks off those that there are.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inner != nil && !d.closed {
		_ = d.inner.Close()
		d.inner, d.opened = nil, make(chan struct{})
	}
	for conn := range d.conns {
		_ = conn.Close()
	}
	clear(d.conns)
}

// open takes connections again.
func (d *door) open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inner != nil || d.closed {
		return nil
	}
	inner, err := net.Listen("tcp", d.address)
	if err != nil {
		return err
	}
	d.inner = inner
	close(d.opened)
	return nil
}

// outage is an API server that is killed and started again.
func (d *door) outage(lasts time.Duration) {
	d.shut()
	for time.Sleep(lasts); d.open() != nil; time.Sleep(100 * time.Millisecond) { // somebody has our port for a moment
	}
}
