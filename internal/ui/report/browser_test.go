package report_test

import (
	"context"
	"image"
	_ "image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/ui/report"
)

// browser is a headless Chromium all of whose requests come to this test,
// wherever they go.
type browser struct {
	program string
	proxy   string
	mu      sync.Mutex
	asked   []string
	page    string
	kind    string
}

// startBrowser skips the test where there is no Chromium.
func startBrowser(t *testing.T, page string) *browser {
	t.Helper()
	b := &browser{page: page, kind: "text/html; charset=utf-8"}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			b.program = path
			break
		}
	}
	if b.program == "" {
		t.Skip("no Chromium is installed: the report is not opened in a browser")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.asked = append(b.asked, r.Host+r.URL.Path)
		page, kind := b.page, b.kind
		b.mu.Unlock()
		if r.URL.Path != "/report" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(server.Close)
	b.proxy = server.Listener.Addr().String()
	return b
}

// show has another page served.
func (b *browser) show(page, kind string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.page, b.kind = page, kind
}

// run opens the page with more arguments and gives what Chromium prints.
func (b *browser) run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	home := t.TempDir()
	args = append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--user-data-dir=" + home,
		"--proxy-server=http://" + b.proxy, "--proxy-bypass-list=<-loopback>",
	}, append(args, "http://report.test/report")...)
	cmd := exec.CommandContext(ctx, b.program, args...)
	cmd.Env = append(os.Environ(), "HOME="+home)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	return string(out)
}

// TestInChromium opens the page in a real browser, reads it, takes a picture
// of it in light and dark, and makes sure that it asked for nothing else.
// $PINTLE_SHOTS keeps the pictures in that folder.
func TestInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time: left out with -short")
	}
	b := startBrowser(t, write(t, failedUpgrade(), report.HTML))
	dom := b.run(t, "--dump-dom")
	text := regexp.MustCompile(`(?s)<style.*?</style>|<[^>]*>`).ReplaceAllString(dom, " ")
	text = strings.Join(strings.Fields(text), " ")
	for _, want := range []string{
		"storefront revision 7", "Why it failed", "image shop/cart:2.4.1 cannot be pulled: not found", "check the name and the tag",
		"ConfigMap (9) configured", "2 attempts", "lock timeout on relation", "not run", "chart storefront-2.4.1",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	light := b.shot(t, "light", "--window-size=1280,1700")
	dark := b.shot(t, "dark", "--window-size=1280,1700", "--blink-settings=preferredColorScheme=0")
	b.shot(t, "narrow", "--window-size=500,1700")
	if dir := os.Getenv("PINTLE_SHOTS"); dir != "" {
		b.show(write(t, failedUpgrade(), report.SVG), "image/svg+xml")
		b.shot(t, "picture", "--window-size=1180,600")
	}
	if light < 0xd000 || dark > 0x4000 {
		t.Errorf("the brightness of the ground is %x in light and %x in dark", light, dark)
	}
	if outside := b.outside(); len(outside) > 0 {
		t.Errorf("the page asked for %q", outside)
	}
	b.show(`<img src="http://outside.test/pixel">`, "text/html")
	b.run(t, "--dump-dom")
	if outside := b.outside(); len(outside) != 1 {
		t.Errorf("of a page that asks for a picture it is seen that it asks for %q", outside)
	}
}

// outside is what was asked for beside the page. Chromium has wishes of its own.
func (b *browser) outside() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, asked := range b.asked {
		host, _, _ := strings.Cut(asked, "/")
		host, _, _ = strings.Cut(host, ":")
		own := strings.HasSuffix(host, ".google.com") || strings.HasSuffix(host, ".googleapis.com") || strings.HasSuffix(host, ".gstatic.com")
		if asked != "report.test/report" && asked != "report.test/favicon.ico" && !own {
			out = append(out, asked)
		}
	}
	return out
}

// shot takes a screenshot and gives the brightness of the page's ground.
func (b *browser) shot(t *testing.T, name string, args ...string) uint32 {
	t.Helper()
	dir := os.Getenv("PINTLE_SHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	file := filepath.Join(dir, name+".png")
	b.run(t, append(args, "--screenshot="+file)...)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	_, g, _, _ := picture.At(3, 3).RGBA()
	return g
}
