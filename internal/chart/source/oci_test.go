package source_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/chart/source/sourcetest"
)

// stocked is a registry that holds versions of the chart web.
func stocked(t *testing.T, o sourcetest.Options, versions ...string) (*sourcetest.Server, source.Access) {
	t.Helper()
	server := sourcetest.Registry(t, o)
	access := source.Access{Username: o.User, Password: o.Password, CAFile: server.CAFile, PlainHTTP: !o.TLS}
	for _, v := range versions {
		path := sourcetest.Chart(t, t.TempDir(), "web", v, nil)
		if err := home(t).Push(t.Context(), path, server.OCI("charts"), access); err != nil {
			t.Fatal(err)
		}
	}
	return server, access
}

func TestRegistry(t *testing.T) {
	server, access := stocked(t, sourcetest.Options{TLS: true, User: "me", Password: "s3cret"}, "1.0.0", "1.2.0", "2.0.0", "2.1.0-rc.1", "3.0.0-a+b")
	var told bytes.Buffer
	c := home(t)
	c.Told = &told
	find := func(ref, version string) (string, error) {
		found, err := c.Find(t.Context(), ref, source.Request{Version: version, Access: access})
		return content(t, found.Path), err
	}
	ref := server.OCI("charts/web")
	for _, tt := range []struct{ ref, version, want string }{
		{ref, "", "2.0.0"},
		{ref, "^1", "1.2.0"},
		{ref, "1.0.0", "1.0.0"},
		{ref + ":1.0.0", "", "1.0.0"},
		{ref, ">0.0.0-0", "3.0.0-a+b"},
		{ref, "3.0.0-a+b", "3.0.0-a+b"},
	} {
		got, err := find(tt.ref, tt.version)
		if want := content(t, sourcetest.Chart(t, t.TempDir(), "web", tt.want, nil)); err != nil || got != want {
			t.Errorf("%s %s is not %s (%v)", tt.ref, tt.version, tt.want, err)
		}
	}
	digest := regexp.MustCompile(`Digest: (sha256:\w+)`).FindStringSubmatch(told.String())
	if digest == nil {
		t.Fatalf("no digest was told: %s", &told)
	}
	if _, err := find(ref+"@"+digest[1], ""); err != nil {
		t.Errorf("by digest: %v", err)
	}
	for _, tt := range []struct {
		ref, version string
		access       source.Access
		words        []string
	}{
		{ref, "9.x", access, []string{"9.x"}},
		{ref, "9.9.9", access, []string{"does not have", "web:9.9.9"}},
		{ref + ":1.0.0", "2.0.0", access, []string{"mismatch"}},
		{server.OCI("charts/wob"), "1.0.0", access, []string{"does not have"}},
		{server.OCI("charts/wob"), "", access, []string{server.Host, "404"}},
		{ref, "1.0.0", source.Access{CAFile: access.CAFile}, []string{server.Host + " wants a login", "pintle registry login " + server.Host}},
		{ref, "1.0.0", source.Access{CAFile: access.CAFile, Username: "me", Password: "wr0ng"}, []string{server.Host + " does not accept the login", "401"}},
		{ref, "1.0.0", source.Access{Username: "me", Password: "s3cret"}, []string{"not secure", "--ca-file"}},
		{"oci://127.0.0.1:1/charts/web", "1.0.0", access, []string{"127.0.0.1:1 cannot be reached"}},
	} {
		_, err := c.Find(t.Context(), tt.ref, source.Request{Version: tt.version, Access: tt.access})
		wantProblem(t, err, tt.words...)
		if strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the password is shown: %v", err)
		}
	}
}

func TestPlainRegistry(t *testing.T) {
	server, access := stocked(t, sourcetest.Options{}, "1.0.0")
	request := source.Request{Version: "1.0.0"}
	_, err := home(t).Find(t.Context(), server.OCI("charts/web"), request)
	wantProblem(t, err, "speaks plain HTTP", "--plain-http")
	request.Access = access
	if _, err := home(t).Find(t.Context(), server.OCI("charts/web"), request); err != nil {
		t.Error(err)
	}
}

func TestLogin(t *testing.T) {
	server, access := stocked(t, sourcetest.Options{TLS: true, User: "me", Password: "s3cret"}, "1.0.0")
	c := home(t)
	var told bytes.Buffer
	c.Told = &told
	wrong := access
	wrong.Password = "wr0ng"
	wantProblem(t, c.Login(t.Context(), server.Host, wrong), server.Host+" does not accept the login")
	if text := content(t, c.RegistryConfig); strings.Contains(text, server.Host) {
		t.Errorf("a wrong login was kept: %s", text)
	}
	if err := c.Login(t.Context(), server.Host, access); err != nil {
		t.Fatal(err)
	}
	request := source.Request{Version: "1.0.0", Access: source.Access{CAFile: access.CAFile}}
	if _, err := c.Find(t.Context(), server.OCI("charts/web"), request); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(c.RegistryConfig); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := c.Logout(t.Context(), server.Host); err != nil {
		t.Fatal(err)
	}
	_, err := c.Find(t.Context(), server.OCI("charts/web"), request)
	wantProblem(t, err, "wants a login")
	if got := told.String(); !strings.HasPrefix(got, "Login Succeeded\n") || !strings.HasSuffix(got, "Removing login credentials for "+server.Host+"\n") {
		t.Errorf("told: %s", got)
	}
}

func TestPushRefuses(t *testing.T) {
	dir := t.TempDir()
	path := sourcetest.Chart(t, dir, "web", "1.0.0", nil)
	put(t, filepath.Join(dir, "text.tgz"), "text", 0o600)
	for _, tt := range []struct {
		path, remote string
		words        []string
	}{
		{path, "registry.example.com/charts", []string{"scheme prefix missing"}},
		{path, "https://registry.example.com/charts", []string{"not supported"}},
		{dir, "oci://127.0.0.1:1/charts", []string{"cannot push directory"}},
		{filepath.Join(dir, "nowhere.tgz"), "oci://127.0.0.1:1/charts", []string{"no such file"}},
		{filepath.Join(dir, "text.tgz"), "oci://127.0.0.1:1/charts", []string{"is not a chart"}},
		{path, "oci://127.0.0.1:1/charts", []string{"127.0.0.1:1 cannot be reached"}},
	} {
		wantProblem(t, home(t).Push(t.Context(), tt.path, tt.remote, source.Access{}), tt.words...)
	}
}
