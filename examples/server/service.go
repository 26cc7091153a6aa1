package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// catalogueAge is how long the products may be served from memory.
	catalogueAge = time.Minute
	// bodyLimit is the most bytes that an order may have.
	bodyLimit = 4 << 10
)

// service answers the HTTP requests.
type service struct {
	shop      shop
	serving   *serving
	version   string
	tokenHash [sha256.Size]byte
	log       *slog.Logger
	now       func() time.Time

	catalogue struct {
		sync.Mutex
		products []product
		read     time.Time
	}
}

// newService returns the handler for all paths. Callers of the protected ones must send the token of the settings.
func newService(shop shop, serving *serving, settings settings, log *slog.Logger) http.Handler {
	service := &service{
		shop: shop, serving: serving, version: settings.version, tokenHash: sha256.Sum256([]byte(settings.token)),
		log: log, now: time.Now,
	}
	return service.routes()
}

func (s *service) routes() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("GET /api/v1/status", s.status)
	api.HandleFunc("GET /api/v1/products", s.products)
	api.Handle("GET /api/v1/orders", s.withToken(s.orders))
	api.Handle("POST /api/v1/orders", s.withToken(s.placeOrder))

	all := http.NewServeMux()
	all.HandleFunc("GET /livez", s.live)
	all.HandleFunc("GET /healthz", s.healthy)
	all.Handle("POST /api/v1/drain", s.withToken(s.drain))
	all.Handle("/", s.counted(api))
	return all
}

// counted keeps track of the requests being answered, for drain.
func (s *service) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serving.running.Add(1)
		defer s.serving.running.Add(-1)
		next.ServeHTTP(w, r)
	})
}

// withToken lets only those through who send the token. Hashes are compared, so that the time taken says nothing
// about the token, its length included.
func (s *service) withToken(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		sent := sha256.Sum256([]byte(token))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(sent[:], s.tokenHash[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="storefront"`)
			s.refuse(w, http.StatusUnauthorized, "a bearer token is needed")
			return
		}
		next(w, r)
	})
}

// live says that the process runs: nothing else, so that only a hung process is restarted.
func (s *service) live(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// healthy says whether to send requests here: see serving.
func (s *service) healthy(w http.ResponseWriter, _ *http.Request) {
	ready, reason := s.serving.readiness()
	if !ready {
		s.answer(w, http.StatusServiceUnavailable, map[string]string{"status": reason})
		return
	}
	s.answer(w, http.StatusOK, map[string]string{"status": reason})
}

func (s *service) status(w http.ResponseWriter, r *http.Request) {
	schema, err := s.shop.SchemaVersion(r.Context())
	if err != nil {
		s.unavailable(w, err)
		return
	}
	s.answer(w, http.StatusOK, struct {
		Version       string `json:"version"`
		SchemaVersion int    `json:"schemaVersion"`
	}{s.version, schema})
}

// products answers from memory while that is fresh, and says in X-Cache which it was.
func (s *service) products(w http.ResponseWriter, r *http.Request) {
	s.catalogue.Lock()
	defer s.catalogue.Unlock()
	cache := "hit"
	if s.catalogue.products == nil || s.now().Sub(s.catalogue.read) >= catalogueAge {
		products, err := s.shop.Products(r.Context())
		if err != nil {
			s.unavailable(w, err)
			return
		}
		s.catalogue.products, s.catalogue.read, cache = products, s.now(), "miss"
	}
	w.Header().Set("X-Cache", cache)
	s.answer(w, http.StatusOK, s.catalogue.products)
}

func (s *service) orders(w http.ResponseWriter, r *http.Request) {
	orders, err := s.shop.Orders(r.Context())
	if err != nil {
		s.unavailable(w, err)
		return
	}
	s.answer(w, http.StatusOK, orders)
}

func (s *service) placeOrder(w http.ResponseWriter, r *http.Request) {
	if s.serving.draining.Load() {
		s.refuse(w, http.StatusServiceUnavailable, "draining: no new orders are taken here")
		return
	}
	var wanted purchase
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err := body.Decode(&wanted); err != nil || wanted.Quantity < 1 {
		s.refuse(w, http.StatusBadRequest, `want {"productId": N, "quantity": N} with a quantity of at least 1`)
		return
	}
	id, err := s.shop.PlaceOrder(r.Context(), wanted)
	switch {
	case errors.Is(err, errNoSuchProduct):
		s.refuse(w, http.StatusUnprocessableEntity, err.Error())
	case err != nil:
		s.unavailable(w, err)
	default:
		s.answer(w, http.StatusCreated, map[string]int64{"id": id})
	}
}

// drain makes readiness fail and new orders be refused, and says how many requests are still being answered. Asked
// again, it says so again: a caller waits for 0.
func (s *service) drain(w http.ResponseWriter, _ *http.Request) {
	s.serving.drain()
	running := s.serving.running.Load()
	s.log.Info("draining", "running", running)
	s.answer(w, http.StatusOK, struct {
		Draining bool  `json:"draining"`
		Running  int64 `json:"running"`
	}{true, running})
}

// unavailable answers that the database could not be asked. The cause goes to the log: it may name hosts and users.
func (s *service) unavailable(w http.ResponseWriter, err error) {
	s.log.Error("the database could not be asked", "error", err)
	s.refuse(w, http.StatusServiceUnavailable, "the database could not be asked")
}

func (s *service) refuse(w http.ResponseWriter, code int, reason string) {
	s.answer(w, code, map[string]string{"error": reason})
}

func (s *service) answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.log.Warn("an answer could not be sent", "error", err)
	}
}
