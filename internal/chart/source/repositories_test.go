package source_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/chart/source/sourcetest"
)

func TestRepositories(t *testing.T) {
	server := plain(t)
	c := home(t)
	shop := source.Repository{Name: "shop", URL: server.URL}
	for _, want := range []bool{true, false} {
		if added, err := c.AddRepository(t.Context(), shop, false); err != nil || added != want {
			t.Fatalf("added %t, %v", added, err)
		}
	}
	other := shop
	other.Username = "me"
	_, err := c.AddRepository(t.Context(), other, false)
	wantProblem(t, err, "already exists", "--force-update")
	if added, err := c.AddRepository(t.Context(), other, true); err != nil || !added {
		t.Errorf("%t, %v", added, err)
	}
	_, err = c.AddRepository(t.Context(), source.Repository{Name: "a/b", URL: server.URL}, false)
	wantProblem(t, err, "slash")
	_, err = c.AddRepository(t.Context(), source.Repository{Name: "gone", URL: "http://127.0.0.1:1"}, false)
	wantProblem(t, err, "127.0.0.1:1")
	all, err := c.Repositories()
	if err != nil || len(all) != 1 || all[0] != other {
		t.Errorf("%v, %v", all, err)
	}
	if got := c.ChartNames("shop"); len(got) != 1 || got[0] != "shop/web" {
		t.Errorf("charts: %v", got)
	}
	wantProblem(t, c.RemoveRepository(t.Context(), "shap"), `no repo named "shap" found`, "shop")
	if err := c.RemoveRepository(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Index("shop"); err == nil {
		t.Error("the index is still there")
	}
	wantProblem(t, c.RemoveRepository(t.Context(), "shop"), "no repositories configured")
}

// TestAddSideBySide loses none of those that are added at once.
func TestAddSideBySide(t *testing.T) {
	server := plain(t)
	c := home(t)
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		all.Go(func() {
			if _, err := c.AddRepository(t.Context(), source.Repository{Name: name, URL: server.URL}, false); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, err := c.Repositories(); err != nil || len(got) != 4 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSearch(t *testing.T) {
	dir := shelf(t, "web@1.0.0", "web@1.2.0", "web@2.0.0-rc.1", "webber@0.3.0", "db@3.0.0")
	server := sourcetest.Repository(t, dir, sourcetest.Options{})
	c := home(t)
	if _, err := c.Search(source.SearchOptions{}); err == nil {
		t.Error("there is nothing to search")
	}
	if _, err := c.AddRepository(t.Context(), source.Repository{Name: "shop", URL: server.URL}, false); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		options source.SearchOptions
		want    string
	}{
		{"all", source.SearchOptions{}, "shop/db 3.0.0, shop/web 1.2.0, shop/webber 0.3.0"},
		{"devel", source.SearchOptions{Devel: true}, "shop/db 3.0.0, shop/web 2.0.0-rc.1, shop/webber 0.3.0"},
		{"name", source.SearchOptions{Term: "WEB", Devel: true}, "shop/web 2.0.0-rc.1, shop/webber 0.3.0"},
		{"range", source.SearchOptions{Term: "web", Version: "^1"}, "shop/web 1.2.0"},
		{"versions", source.SearchOptions{Term: "web", AllVersions: true}, "shop/web 1.2.0, shop/web 1.0.0, shop/webber 0.3.0"},
		{"keyword", source.SearchOptions{Term: "demo"}, "shop/db 3.0.0, shop/web 1.2.0, shop/webber 0.3.0"},
		{"regexp", source.SearchOptions{Term: "^d", Regexp: true}, "shop/db 3.0.0"},
		{"nothing", source.SearchOptions{Term: "zzz"}, ""},
	} {
		hits, err := c.Search(tt.options)
		var got []string
		for _, h := range hits {
			got = append(got, h.Name+" "+h.Version)
		}
		if text := strings.Join(got, ", "); err != nil || text != tt.want {
			t.Errorf("%s: got %s (%v), want %s", tt.name, text, err, tt.want)
		}
	}
	_, err := c.Search(source.SearchOptions{Term: "[", Regexp: true})
	wantProblem(t, err, "regular expression")
	_, err = c.Search(source.SearchOptions{Version: "new"})
	wantProblem(t, err, "range")
}

func TestMergedIndex(t *testing.T) {
	old, dir := shelf(t, "web@1.0.0", "db@1.0.0"), t.TempDir()
	sourcetest.Chart(t, filepath.Join(dir, "sub"), "web", "1.1.0", nil)
	sourcetest.Chart(t, dir, "db", "1.0.0", nil)
	put(t, filepath.Join(dir, "odd.tgz"), "no chart", 0o600)
	if err := source.IndexFolder(dir, source.IndexOptions{URL: "https://example.com/charts", Merge: filepath.Join(old, "index.yaml"), JSON: true}); err != nil {
		t.Fatal(err)
	}
	server := sourcetest.Repository(t, dir, sourcetest.Options{})
	c := home(t)
	if _, err := c.AddRepository(t.Context(), source.Repository{Name: "shop", URL: server.URL}, false); err != nil {
		t.Fatal(err)
	}
	index, err := c.Index("shop")
	if err != nil {
		t.Fatal(err)
	}
	if len(index.Entries) != 2 || len(index.Entries["web"]) != 2 || len(index.Entries["db"]) != 1 {
		t.Fatalf("entries: %v", index.Entries)
	}
	if got := index.Entries["web"][0].URLs[0]; got != "https://example.com/charts/sub/web-1.1.0.tgz" {
		t.Errorf("URL: %s", got)
	}
	if got := index.Entries["db"][0].URLs[0]; got != "https://example.com/charts/db-1.0.0.tgz" {
		t.Errorf("URL: %s", got)
	}
}

// TestInterrupted gives up as soon as it is told to.
func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	reason := errors.New("the user has left")
	server := sourcetest.Handler(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stop(reason)
		<-r.Context().Done()
	}), sourcetest.Options{})
	for _, ref := range []string{server.URL + "/web.tgz", server.OCI("web:1.0.0")} {
		_, err := home(t).Find(ctx, ref, source.Request{Access: source.Access{PlainHTTP: true}})
		if err == nil {
			t.Errorf("%s: there is no error", ref)
		}
	}
}
