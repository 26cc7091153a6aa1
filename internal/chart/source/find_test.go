package source_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/chart/source/sourcetest"
)

func TestFindByName(t *testing.T) {
	dir := shelf(t, "web@1.0.0", "web@1.2.0", "web@2.0.0", "web@2.1.0-rc.1", "db@0.1.0")
	server := sourcetest.Repository(t, dir, sourcetest.Options{})
	c := home(t)
	if _, err := c.AddRepository(t.Context(), source.Repository{Name: "shop", URL: server.URL}, false); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		version string
		devel   bool
		want    string
	}{
		{"", false, "web-2.0.0.tgz"},
		{"", true, "web-2.1.0-rc.1.tgz"},
		{"^1", false, "web-1.2.0.tgz"},
		{"1.0.0", false, "web-1.0.0.tgz"},
		{"<1.2", true, "web-1.0.0.tgz"},
		{" 2.1.0-rc.1 ", false, "web-2.1.0-rc.1.tgz"},
	} {
		found, err := c.Find(t.Context(), "shop/web", source.Request{Version: tt.version, Devel: tt.devel})
		if err != nil {
			t.Errorf("%+v: %v", tt, err)
			continue
		}
		if got, want := content(t, found.Path), content(t, filepath.Join(dir, tt.want)); got != want || !found.Fetched {
			t.Errorf("%+v is not %s", tt, tt.want)
		}
	}
	for _, tt := range []struct {
		ref, version string
		words        []string
	}{
		{"shop/wob", "", []string{`the repository shop has no chart "wob"`, "repo update"}},
		{"shop/we", "", []string{"it has web"}},
		{"shop/web", "3.x", []string{"no web of version 3.x", "it has 2.1.0-rc.1, 2.0.0, 1.2.0, 1.0.0"}},
		{"shop/web", "new", []string{`--version "new"`}},
		{"stop/web", "", []string{`no chart "stop/web"`, "no repository stop", "pintle repo add stop URL"}},
		{"web", "", []string{`no chart "web"`, "repository/chart"}},
		{"./web", "", []string{`no chart "./web"`, "there is no folder"}},
		{"/nowhere/web", "", []string{"/nowhere/web"}},
		{" ", "", []string{"no chart was named"}},
		{"ftp://example.com/web.tgz", "", []string{"nothing here fetches from ftp://", "getter plugin"}},
		{"https://me:secret@[::1/web.tgz", "", []string{"is not a URL"}},
		{"https://me:a/secret%zz@example.com/web.tgz", "", []string{"is not a URL", "***@example.com/web.tgz"}},
	} {
		_, err := c.Find(t.Context(), tt.ref, source.Request{Version: tt.version})
		wantProblem(t, err, tt.words...)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is shown: %v", err)
		}
	}
}

func TestFindOnDisk(t *testing.T) {
	c := home(t)
	path := sourcetest.Chart(t, t.TempDir(), "web", "1.0.0", nil)
	found, err := c.Find(t.Context(), path, source.Request{})
	if err != nil || found.Path != path || found.Fetched {
		t.Errorf("got %+v, %v", found, err)
	}
}

func TestFindWithoutIndex(t *testing.T) {
	c := home(t)
	put(t, c.RepositoryConfig, "repositories: [{name: shop, url: http://127.0.0.1:1}]", 0o600)
	_, err := c.Find(t.Context(), "shop/web", source.Request{})
	wantProblem(t, err, "has not been fetched yet", "pintle repo update shop")
	put(t, c.RepositoryConfig, "repositories: [", 0o600)
	_, err = c.Find(t.Context(), "shop/web", source.Request{})
	wantProblem(t, err, c.RepositoryConfig, "not valid")
}

func TestFindByURL(t *testing.T) {
	dir := shelf(t, "web@1.0.0", "web@1.2.0")
	server := sourcetest.Repository(t, dir, sourcetest.Options{TLS: true, User: "me", Password: "s3cret"})
	good := source.Access{Username: "me", Password: "s3cret", CAFile: server.CAFile}
	other := sourcetest.OtherCA(t, t.TempDir())
	for _, tt := range []struct {
		name, ref, repo string
		access          source.Access
		words           []string
	}{
		{"repo", "web", server.URL, good, nil},
		{"repo with a slash", "web", server.URL + "/", good, nil},
		{"url", server.URL + "/web-1.2.0.tgz", "", good, nil},
		{"insecure", server.URL + "/web-1.2.0.tgz", "", source.Access{Username: "me", Password: "s3cret", InsecureSkipTLSVerify: true}, nil},
		{"login in the URL", strings.Replace(server.URL, "://", "://me:s3cret@", 1) + "/web-1.2.0.tgz", "", source.Access{CAFile: server.CAFile}, nil},
		{"no login", "web", server.URL, source.Access{CAFile: server.CAFile}, []string{server.Host + " wants a login", "401", "--username"}},
		{"wrong login", "web", server.URL, source.Access{Username: "me", Password: "wr0ng", CAFile: server.CAFile}, []string{server.Host + " does not accept the login", "401"}},
		{"wrong login in the URL", strings.Replace(server.URL, "://", "://me:wr0ng@", 1) + "/web-1.2.0.tgz", "", source.Access{CAFile: server.CAFile}, []string{server.Host, "401"}},
		{"unknown CA", "web", server.URL, source.Access{Username: "me", Password: "s3cret"}, []string{"not secure", server.Host, "--ca-file"}},
		{"wrong CA", "web", server.URL, source.Access{CAFile: other}, []string{"not secure", server.Host}},
		{"CA file that is not there", "web", server.URL, source.Access{CAFile: "/nowhere.pem"}, []string{"/nowhere.pem"}},
		{"CA file without a certificate", "web", server.URL, source.Access{CAFile: os.DevNull}, []string{"no certificate"}},
		{"key without certificate", "web", server.URL, source.Access{CertFile: other, KeyFile: other}, []string{"cannot be used"}},
		{"no such chart", "wob", server.URL, good, []string{"has no chart"}},
		{"no such file", server.URL + "/wob-1.2.0.tgz", "", good, []string{server.Host + " does not have the chart", "404"}},
		{"not a chart", server.URL + "/index.yaml", "", good, []string{"is not a chart"}},
		{"nobody there", "web", "http://127.0.0.1:1/charts", good, []string{"127.0.0.1:1 cannot be reached", "refused"}},
		{"http to https", "web", "http://" + server.Host, good, []string{server.Host, "400"}},
		{"https to http", "web", strings.Replace(plain(t).URL, "http:", "https:", 1), good, []string{"speaks plain HTTP"}},
		{"registry as repo", "web", "oci://" + server.Host, good, []string{"oci://" + server.Host + "/web"}},
		{"not a URL", "web", "charts", good, []string{`"charts" is not the URL of a repository`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := home(t)
			found, err := c.Find(t.Context(), tt.ref, source.Request{RepoURL: tt.repo, Access: tt.access})
			if tt.words != nil {
				wantProblem(t, err, tt.words...)
				for _, secret := range []string{"s3cret", "wr0ng"} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("the password is shown: %v", err)
					}
				}
				nothingKept(t, c)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if content(t, found.Path) != content(t, filepath.Join(dir, "web-1.2.0.tgz")) {
				t.Error("it is another chart")
			}
		})
	}
}

func plain(t *testing.T) *sourcetest.Server {
	return sourcetest.Repository(t, shelf(t, "web@1.0.0"), sourcetest.Options{})
}

// TestLoginStaysAtHome is about where a login must not go: to another host that
// an index names, or that a server redirects to.
func TestLoginStaysAtHome(t *testing.T) {
	dir := shelf(t, "web@1.0.0")
	elsewhere := sourcetest.Repository(t, dir, sourcetest.Options{})
	redirecting := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ".tgz") {
				http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusFound)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	login := source.Access{Username: "me", Password: "s3cret"}
	away := t.TempDir()
	sourcetest.Chart(t, away, "web", "1.0.0", nil)
	if err := source.IndexFolder(away, source.IndexOptions{URL: elsewhere.URL}); err != nil {
		t.Fatal(err)
	}
	redirects := sourcetest.Repository(t, dir, sourcetest.Options{User: "me", Password: "s3cret", Wrap: redirecting})
	names := sourcetest.Repository(t, away, sourcetest.Options{User: "me", Password: "s3cret"})
	for _, tt := range []struct {
		name   string
		server *sourcetest.Server
		pass   bool
		sent   bool
	}{
		{"redirect", redirects, false, false},
		{"another host in the index", names, false, false},
		{"another host in the index, with --pass-credentials", names, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(elsewhere.Requests())
			access := login
			access.PassCredentials = tt.pass
			if _, err := home(t).Find(t.Context(), "web", source.Request{RepoURL: tt.server.URL, Access: access}); err != nil {
				t.Fatal(err)
			}
			got := elsewhere.Requests()[before:]
			if len(got) == 0 {
				t.Fatal("nobody came by")
			}
			for _, r := range got {
				if r.Login != tt.sent {
					t.Errorf("%s %s came with a login: %t", r.Method, r.Path, r.Login)
				}
			}
		})
	}
	// Where the other host wants a login, it is said that ours was not sent.
	locked := sourcetest.Repository(t, dir, sourcetest.Options{User: "me", Password: "s3cret"})
	if err := source.IndexFolder(away, source.IndexOptions{URL: locked.URL}); err != nil {
		t.Fatal(err)
	}
	_, err := home(t).Find(t.Context(), "web", source.Request{RepoURL: names.URL, Access: login})
	wantProblem(t, err, locked.Host+" wants a login", "--pass-credentials")
}

// TestURLOfKnownRepository uses the login of the repository that has the URL in
// its index.
func TestURLOfKnownRepository(t *testing.T) {
	dir := t.TempDir()
	sourcetest.Chart(t, dir, "web", "1.0.0", nil)
	server := sourcetest.Repository(t, dir, sourcetest.Options{TLS: true, User: "me", Password: "s3cret"})
	if err := source.IndexFolder(dir, source.IndexOptions{URL: server.URL}); err != nil {
		t.Fatal(err)
	}
	c := home(t)
	if _, err := c.AddRepository(t.Context(), source.Repository{Name: "shop", URL: server.URL, Username: "me", Password: "s3cret", CAFile: server.CAFile}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Find(t.Context(), server.URL+"/web-1.0.0.tgz", source.Request{}); err != nil {
		t.Error(err)
	}
}

func TestChangedChartIsRefused(t *testing.T) {
	dir := shelf(t, "web@1.0.0")
	server := sourcetest.Repository(t, dir, sourcetest.Options{})
	c := home(t)
	request := source.Request{RepoURL: server.URL}
	found, err := c.Find(t.Context(), "web", request)
	if err != nil {
		t.Fatal(err)
	}
	// What is cached and spoilt is not used, but fetched again.
	put(t, found.Path, "spoilt", 0o600)
	if found, err = c.Find(t.Context(), "web", request); err != nil || content(t, found.Path) != content(t, filepath.Join(dir, "web-1.0.0.tgz")) {
		t.Errorf("a spoilt cache: %v", err)
	}
	sourcetest.Chart(t, dir, "web", "1.0.0", map[string]string{"templates/more.yaml": "kind: Secret"})
	c = home(t)
	_, err = c.Find(t.Context(), "web", request)
	wantProblem(t, err, "is not the chart of the index", "SHA-256")
	nothingKept(t, c)
}

func TestRetries(t *testing.T) {
	dir := shelf(t, "web@1.0.0")
	busy := 0
	server := sourcetest.Repository(t, dir, sourcetest.Options{Wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if busy > 0 {
				busy--
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			h.ServeHTTP(w, r)
		})
	}})
	busy = 2
	if _, err := home(t).Find(t.Context(), "web", source.Request{RepoURL: server.URL}); err != nil {
		t.Error(err)
	}
	busy = 3
	_, err := home(t).Find(t.Context(), "web", source.Request{RepoURL: server.URL})
	wantProblem(t, err, "did not give the index", "503", "asked 3 times")
}

func TestTooLarge(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "values.yaml"), strings.Repeat("a: b # long\n", 1000), 0o600)
	server := sourcetest.Repository(t, dir, sourcetest.Options{})
	c := home(t)
	if data, err := c.Fetch(t.Context(), server.URL+"/values.yaml"); err != nil || len(data) != 12000 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	c.MaxFile = 12000
	if _, err := c.Fetch(t.Context(), server.URL+"/values.yaml"); err != nil {
		t.Errorf("just as large as it may be: %v", err)
	}
	c.MaxFile = 11999
	_, err := c.Fetch(t.Context(), server.URL+"/values.yaml")
	wantProblem(t, err, "too large")
}

func TestOddIndexes(t *testing.T) {
	for name, words := range map[string][]string{
		"":                     {"is not the index", "empty"},
		"<html>welcome</html>": {"is not the index"},
		"entries: {}":          {"no apiVersion"},
		"apiVersion: v1\nentries: {web: [{version: 1.0.0}, {name: web, version: nine}, null]}":                   {"has no chart"},
		"apiVersion: v1\nentries: {web: [{name: web, version: 1.0.0}]}":                                          {"gives no URL"},
		"apiVersion: v1\nentries: {web: [{name: web, version: 1.0.0, urls: [\"oci://example.com/web:1.0.0\"]}]}": {"oci://example.com/web:1.0.0"},
	} {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "index.yaml"), name, 0o600)
		server := sourcetest.Repository(t, dir, sourcetest.Options{})
		_, err := home(t).Find(t.Context(), "web", source.Request{RepoURL: server.URL})
		wantProblem(t, err, words...)
	}
}
