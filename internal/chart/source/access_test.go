package source_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/chart/source/sourcetest"
)

// A registry that names a server for tokens: the login goes there, and to the
// registry goes what it gave.
func TestTokens(t *testing.T) {
	server, access := stocked(t, sourcetest.Options{TLS: true, User: "me", Password: "s3cret", Tokens: true}, "1.0.0", "1.2.0")
	c := home(t)
	ref := server.OCI("charts/web")
	anonymous, wrong := access, access
	anonymous.Username, anonymous.Password = "", ""
	wrong.Password = "wr0ng"
	if _, err := c.Find(t.Context(), ref, source.Request{Version: "^1", Access: access}); err != nil {
		t.Error(err)
	}
	_, err := c.Find(t.Context(), ref, source.Request{Version: "1.0.0", Access: anonymous})
	wantProblem(t, err, "wants a login", "pintle registry login "+server.Host)
	_, err = c.Find(t.Context(), ref, source.Request{Version: "1.0.0", Access: wrong})
	wantProblem(t, err, server.Host+" does not accept the login", server.Tokens.Host)
	wantProblem(t, c.Login(t.Context(), server.Host, wrong), server.Host+" does not accept the login")
	if err := c.Login(t.Context(), server.Host, access); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Find(t.Context(), ref, source.Request{Version: "1.0.0", Access: anonymous}); err != nil {
		t.Errorf("with the login that was kept: %v", err)
	}
	for _, r := range server.Requests() {
		if r.Login {
			t.Errorf("the login went to the registry itself: %s %s", r.Method, r.Path)
		}
	}
	if got := server.Tokens.Requests(); len(got) == 0 {
		t.Error("nobody has asked for a token")
	}
}

func TestClientCertificates(t *testing.T) {
	dir := shelf(t, "web@1.0.0")
	repository := sourcetest.Repository(t, dir, sourcetest.Options{TLS: true, Clients: true})
	registry := sourcetest.Registry(t, sourcetest.Options{TLS: true, Clients: true})
	known := func(s *sourcetest.Server) source.Access {
		return source.Access{CAFile: s.CAFile, CertFile: s.CertFile, KeyFile: s.KeyFile}
	}
	if err := home(t).Push(t.Context(), filepath.Join(dir, "web-1.0.0.tgz"), registry.OCI("charts"), known(registry)); err != nil {
		t.Fatal(err)
	}
	other, key, _ := sourcetest.Client(t, t.TempDir())
	for name, server := range map[string]*sourcetest.Server{"repository": repository, "registry": registry} {
		find := func(change func(*source.Access)) error {
			r := source.Request{Version: "1.0.0", RepoURL: repository.URL, Access: known(server)}
			ref := "web"
			if server == registry {
				r.RepoURL, ref = "", registry.OCI("charts/web")
			}
			change(&r.Access)
			_, err := home(t).Find(t.Context(), ref, r)
			return err
		}
		t.Run(name, func(t *testing.T) {
			if err := find(func(*source.Access) {}); err != nil {
				t.Errorf("right: %v", err)
			}
			for _, tt := range []struct {
				why    string
				change func(*source.Access)
				words  []string
			}{
				{"none", func(a *source.Access) { a.CertFile, a.KeyFile = "", "" }, []string{server.Host, "--cert-file and --key-file"}},
				{"another's", func(a *source.Access) { a.CertFile, a.KeyFile = other, key }, []string{server.Host, "--cert-file and --key-file"}},
				{"another's key", func(a *source.Access) { a.KeyFile = key }, []string{"cannot be used", "private key does not match"}},
				{"no key", func(a *source.Access) { a.KeyFile = "" }, []string{"--key-file"}},
				{"no certificate", func(a *source.Access) { a.CertFile = "" }, []string{"--cert-file"}},
				{"no such file", func(a *source.Access) { a.CertFile = "/nowhere.pem" }, []string{"/nowhere.pem", "no such file"}},
				{"no CA", func(a *source.Access) { a.CAFile = "" }, []string{server.Host, "not secure", "--ca-file"}},
				{"no such CA", func(a *source.Access) { a.CAFile = "/nowhere.pem" }, []string{"/nowhere.pem", "no such file"}},
				{"a CA that is none", func(a *source.Access) { a.CAFile = server.KeyFile }, []string{"holds no certificate"}},
			} {
				t.Run(tt.why, func(t *testing.T) { wantProblem(t, find(tt.change), tt.words...) })
			}
		})
	}
}

// helper puts a credential helper of Docker's into PATH that keeps logins in a
// folder, and returns that folder. It speaks the protocol of exec and JSON.
func helper(t *testing.T, name string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the helper is a shell script")
	}
	bin, kept := t.TempDir(), t.TempDir()
	script := `#!/bin/sh
input=$(cat)
echo "$1" >> '` + kept + `/calls'
case $1 in
store) printf '%s' "$input" > '` + kept + `/login' ;;
get) [ -f '` + kept + `/login' ] || { echo 'credentials not found in native keychain'; exit 1; }; cat '` + kept + `/login' ;;
erase) rm -f '` + kept + `/login' ;;
esac
`
	put(t, filepath.Join(bin, "docker-credential-"+name), script, 0o700)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return kept
}

func TestCredentialHelpers(t *testing.T) {
	server, access := stocked(t, sourcetest.Options{TLS: true, User: "me", Password: "s3cret"}, "1.0.0")
	request := source.Request{Version: "1.0.0", Access: source.Access{CAFile: access.CAFile}}
	for name, config := range map[string]string{
		"for all":     `{"credsStore": "keeper"}`,
		"for a host":  fmt.Sprintf(`{"credHelpers": {%q: "keeper"}}`, server.Host),
		"both":        fmt.Sprintf(`{"credsStore": "nowhere", "credHelpers": {%q: "keeper"}}`, server.Host),
		"and a login": fmt.Sprintf(`{"auths": {%q: {"auth": "bWU6d3IwbmcK"}}, "credsStore": "keeper"}`, server.Host),
	} {
		t.Run(name, func(t *testing.T) {
			kept := helper(t, "keeper")
			c := home(t)
			put(t, c.RegistryConfig, config, 0o600)
			_, err := c.Find(t.Context(), server.OCI("charts/web"), request)
			wantProblem(t, err, "wants a login")
			if err := c.Login(t.Context(), server.Host, access); err != nil {
				t.Fatal(err)
			}
			if text := content(t, filepath.Join(kept, "login")); !strings.Contains(text, `"Secret":"s3cret"`) || !strings.Contains(text, server.Host) {
				t.Errorf("the helper keeps %s", text)
			}
			if text := content(t, c.RegistryConfig); strings.Contains(text, "s3cret") || !strings.Contains(text, "keeper") {
				t.Errorf("beside the helper: %s", text)
			}
			if _, err := c.Find(t.Context(), server.OCI("charts/web"), request); err != nil {
				t.Errorf("with the login of the helper: %v", err)
			}
			if err := c.Logout(t.Context(), server.Host); err != nil {
				t.Fatal(err)
			}
			if text := content(t, filepath.Join(kept, "login")); text != "" {
				t.Errorf("after the logout the helper keeps %s", text)
			}
		})
	}
}

// A helper that is not there, or that fails, is named: the login is not looked
// for elsewhere.
func TestCredentialHelpersThatFail(t *testing.T) {
	server, access := stocked(t, sourcetest.Options{TLS: true, User: "me", Password: "s3cret"}, "1.0.0")
	c := home(t)
	var told bytes.Buffer
	c.Told = &told
	put(t, c.RegistryConfig, `{"credsStore": "nowhere"}`, 0o600)
	_, err := c.Find(t.Context(), server.OCI("charts/web"), source.Request{Version: "1.0.0", Access: source.Access{CAFile: access.CAFile}})
	wantProblem(t, err, "docker-credential-nowhere")
	wantProblem(t, c.Login(t.Context(), server.Host, access), "docker-credential-nowhere")
	if strings.Contains(told.String(), "Succeeded") {
		t.Errorf("told: %s", &told)
	}
}
