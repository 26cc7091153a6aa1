package e2e

import (
	"encoding/base64"
	encodingjson "encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// webhook serves, until the story ends, an admission webhook on this machine
// that refuses everything with a message. $WEBHOOK_URL is where it is,
// $WEBHOOK_CA the authority of its certificate as a webhook configuration
// wants it:
//
//	webhook MESSAGE
func webhook(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: webhook MESSAGE")
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review map[string]any
		if err := encodingjson.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		request, _ := review["request"].(map[string]any)
		delete(review, "request")
		review["response"] = map[string]any{"uid": request["uid"], "allowed": false, "status": map[string]any{"message": args[0]}}
		w.Header().Set("Content-Type", "application/json")
		_ = encodingjson.NewEncoder(w).Encode(review) // the API server tells when it has no answer
	}))
	ts.Defer(server.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	ts.Setenv("WEBHOOK_URL", server.URL)
	ts.Setenv("WEBHOOK_CA", base64.StdEncoding.EncodeToString(authority))
}

// registry serves, until the story ends, a registry of images on this machine
// that has none, and that asks for credentials below private/. $REGISTRY is
// its address:
//
//	registry
func registry(ts *testscript.TestScript, neg bool, args []string) {
	noArguments(ts, "registry", neg, args)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/v2/":
		case strings.HasPrefix(r.URL.Path, "/v2/private/"):
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`)) // the status says it all
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv("REGISTRY", strings.TrimPrefix(server.URL, "http://"))
}
