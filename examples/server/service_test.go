package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const token = "secret-of-the-test"

var given = settings{version: "1.2.3", token: token}

// memoryShop is a shop without a database. A set broken is what every method returns.
type memoryShop struct {
	schema   int
	products []product
	orders   []order
	broken   error
	reads    int
}

func (m *memoryShop) Ping(context.Context) error                 { return m.broken }
func (m *memoryShop) SchemaVersion(context.Context) (int, error) { return m.schema, m.broken }
func (m *memoryShop) Orders(context.Context) ([]order, error)    { return m.orders, m.broken }

func (m *memoryShop) Products(context.Context) ([]product, error) {
	m.reads++
	return m.products, m.broken
}

func (m *memoryShop) PlaceOrder(_ context.Context, wanted purchase) (int64, error) {
	if m.broken == nil && wanted.ProductID > int64(len(m.products)) {
		return 0, errNoSuchProduct
	}
	return 7, m.broken
}

func stocked() *memoryShop {
	return &memoryShop{
		schema:   2,
		products: []product{{ID: 1, Name: "Block", PriceCents: 1890}},
		orders:   []order{{ID: 3, Product: "Block", Quantity: 2}},
	}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// ask sends one request, with the token if withToken, and returns the answer and its body.
func ask(t *testing.T, handler http.Handler, method, path, body, bearer string) (*http.Response, string) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if bearer != "" {
		request.Header.Set("Authorization", bearer)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Result(), strings.TrimSpace(recorder.Body.String())
}

func TestAnswers(t *testing.T) {
	const good = "Bearer " + token
	broken := func() *memoryShop {
		s := stocked()
		s.broken = errors.New("connection refused by db.internal")
		return s
	}
	tests := map[string]struct {
		shop         *memoryShop
		method, path string
		body, bearer string
		code         int
		want         string
	}{
		"status":               {stocked(), "GET", "/api/v1/status", "", "", 200, `{"version":"1.2.3","schemaVersion":2}`},
		"status, no database":  {broken(), "GET", "/api/v1/status", "", "", 503, `{"error":"the database could not be asked"}`},
		"live without one":     {broken(), "GET", "/livez", "", "", 200, `{"status":"ok"}`},
		"products":             {stocked(), "GET", "/api/v1/products", "", "", 200, `[{"id":1,"name":"Block","priceCents":1890}]`},
		"products, no db":      {broken(), "GET", "/api/v1/products", "", "", 503, `{"error":"the database could not be asked"}`},
		"orders, no token":     {stocked(), "GET", "/api/v1/orders", "", "", 401, `{"error":"a bearer token is needed"}`},
		"orders, wrong token":  {stocked(), "GET", "/api/v1/orders", "", "Bearer no", 401, `{"error":"a bearer token is needed"}`},
		"orders, empty token":  {stocked(), "GET", "/api/v1/orders", "", "Bearer ", 401, `{"error":"a bearer token is needed"}`},
		"orders, wrong scheme": {stocked(), "GET", "/api/v1/orders", "", "Basic " + token, 401, `{"error":"a bearer token is needed"}`},
		"orders":               {stocked(), "GET", "/api/v1/orders", "", good, 200, `[{"id":3,"product":"Block","quantity":2}]`},
		"orders, no db":        {broken(), "GET", "/api/v1/orders", "", good, 503, `{"error":"the database could not be asked"}`},
		"order":                {stocked(), "POST", "/api/v1/orders", `{"productId":1,"quantity":2}`, good, 201, `{"id":7}`},
		"order, no token":      {stocked(), "POST", "/api/v1/orders", `{"productId":1,"quantity":2}`, "", 401, `{"error":"a bearer token is needed"}`},
		"order of nothing":     {stocked(), "POST", "/api/v1/orders", `{"productId":9,"quantity":2}`, good, 422, `{"error":"no such product"}`},
		"order of none":        {stocked(), "POST", "/api/v1/orders", `{"productId":1}`, good, 400, `{"error":"want {\"productId\": N, \"quantity\": N} with a quantity of at least 1"}`},
		"drain, no token":      {stocked(), "POST", "/api/v1/drain", "", "", 401, `{"error":"a bearer token is needed"}`},
		"drain":                {stocked(), "POST", "/api/v1/drain", "", good, 200, `{"draining":true,"running":0}`},
		"drain by GET":         {stocked(), "GET", "/api/v1/drain", "", good, 404, "404 page not found"},
		"unknown":              {stocked(), "GET", "/", "", good, 404, "404 page not found"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			handler := newService(test.shop, &serving{}, given, quiet())
			answer, body := ask(t, handler, test.method, test.path, test.body, test.bearer)
			if answer.StatusCode != test.code || body != test.want {
				t.Errorf("got %d %s\nwant %d %s", answer.StatusCode, body, test.code, test.want)
			}
			asked := answer.Header.Get("WWW-Authenticate") != ""
			if asked != (test.code == http.StatusUnauthorized) {
				t.Errorf("WWW-Authenticate is %q with code %d", answer.Header.Get("WWW-Authenticate"), test.code)
			}
		})
	}
}

func TestProductsComeFromMemoryForAMinute(t *testing.T) {
	shop, now := stocked(), time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	handler := (&service{shop: shop, serving: &serving{}, log: quiet(), now: func() time.Time { return now }}).routes()
	for _, step := range []struct {
		later time.Duration
		cache string
		reads int
	}{{0, "miss", 1}, {catalogueAge - 1, "hit", 1}, {1, "miss", 2}} {
		now = now.Add(step.later)
		answer, _ := ask(t, handler, "GET", "/api/v1/products", "", "")
		if got := answer.Header.Get("X-Cache"); got != step.cache || shop.reads != step.reads {
			t.Errorf("at %s: X-Cache %q after %d reads, want %q after %d", now, got, shop.reads, step.cache, step.reads)
		}
	}
}

func TestDrainingRefusesNewOrdersAndReadinessButAnswersTheRest(t *testing.T) {
	state := &serving{}
	state.reached.Store(true)
	handler := newService(stocked(), state, given, quiet())
	codes := func() [3]int {
		health, _ := ask(t, handler, "GET", "/healthz", "", "")
		order, _ := ask(t, handler, "POST", "/api/v1/orders", `{"productId":1,"quantity":1}`, "Bearer "+token)
		status, _ := ask(t, handler, "GET", "/api/v1/status", "", "")
		return [3]int{health.StatusCode, order.StatusCode, status.StatusCode}
	}
	if got, want := codes(), [3]int{200, 201, 200}; got != want {
		t.Fatalf("before: health, order, status are %v, want %v", got, want)
	}
	ask(t, handler, "POST", "/api/v1/drain", "", "Bearer "+token)
	if got, want := codes(), [3]int{503, 503, 200}; got != want {
		t.Errorf("after: health, order, status are %v, want %v", got, want)
	}
}
