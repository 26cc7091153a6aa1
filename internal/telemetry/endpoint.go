package telemetry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// protocol is how requests are written.
type protocol string

const (
	protobuf protocol = "http/protobuf"
	jsonText protocol = "http/json"
	grpc     protocol = "grpc"
)

// endpoint is where one signal goes, and how.
type endpoint struct {
	signal   signal
	url      *url.URL
	protocol protocol
	header   http.Header
	// timeout bounds one request.
	timeout time.Duration
	gzip    bool
	tls     *tls.Config
}

// defaultTimeout is that of the specification.
const defaultTimeout = 10 * time.Second

// endpoint reads the variables about where a signal goes; nil where it is off.
func (v *variables) endpoint(s signal) *endpoint {
	if !v.wanted(s) {
		return nil
	}
	off := fmt.Sprintf("no %s are sent", s)
	e := &endpoint{signal: s, timeout: defaultTimeout}
	name, value := v.general(s, "PROTOCOL")
	switch e.protocol = protocol(value); e.protocol {
	case "":
		e.protocol = protobuf
	case protobuf, jsonText, grpc:
	default:
		v.wrong(name, "is none of http/protobuf, http/json and grpc", off)
		return nil
	}
	var err error
	if name, err = e.locate(v); err != nil {
		v.wrong(name, err.Error(), off)
		return nil
	}
	if name, err = e.secure(v); err != nil {
		v.wrong(name, err.Error(), off)
		return nil
	}
	e.tune(v)
	return e
}

// locate finds the address. That of one signal is used as it is, to that of
// all signals the signal's path is added.
func (e *endpoint) locate(v *variables) (variable string, err error) {
	name, text := v.general(e.signal, "ENDPOINT")
	if text == "" {
		text = map[protocol]string{protobuf: "http://localhost:4318", jsonText: "http://localhost:4318", grpc: "http://localhost:4317"}[e.protocol]
	}
	if e.protocol == grpc && !strings.Contains(text, "://") {
		text = e.grpcScheme(v) + "://" + text
	}
	if e.url, err = url.Parse(text); err != nil || e.url.Host == "" || e.url.Scheme != "http" && e.url.Scheme != "https" {
		return name, errors.New("is no URL such as http://localhost:4318") // the text may hold a password
	}
	switch {
	case e.protocol == grpc:
		e.url.Path = grpcPaths[e.signal]
	case name == "OTEL_EXPORTER_OTLP_ENDPOINT":
		e.url = e.url.JoinPath("v1", string(e.signal))
	case e.url.Path == "":
		e.url.Path = "/"
	}
	return name, nil
}

// grpcScheme is for an address without one.
func (e *endpoint) grpcScheme(v *variables) string {
	if _, insecure := v.general(e.signal, "INSECURE"); strings.EqualFold(insecure, "true") {
		return "http"
	}
	return "https"
}

// secure reads the certificates.
func (e *endpoint) secure(v *variables) (variable string, err error) {
	name, file := v.general(e.signal, "CERTIFICATE")
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return name, fmt.Errorf("cannot be read: %w", err)
		}
		e.tls = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
		if !e.tls.RootCAs.AppendCertsFromPEM(text) {
			return name, fmt.Errorf("names %s, which holds no certificate", file)
		}
	}
	name, file = v.general(e.signal, "CLIENT_CERTIFICATE")
	_, key := v.general(e.signal, "CLIENT_KEY")
	if file == "" {
		return "", nil
	}
	pair, err := tls.LoadX509KeyPair(file, key)
	if err != nil {
		return name, fmt.Errorf("and its key cannot be used: %w", err)
	}
	if e.tls == nil {
		e.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	e.tls.Certificates = []tls.Certificate{pair}
	return "", nil
}

// tune reads what has a default that does as well.
func (e *endpoint) tune(v *variables) {
	e.header = http.Header{}
	name, text := v.general(e.signal, "HEADERS")
	given, err := pairs(text)
	if err != nil {
		v.wrong(name, "is not a list of key=value,key=value", "no headers are sent")
	}
	for key, value := range given {
		e.header.Set(key, value)
	}
	if name, text = v.general(e.signal, "TIMEOUT"); text != "" {
		if ms, err := strconv.Atoi(text); err == nil && ms > 0 {
			e.timeout = time.Duration(ms) * time.Millisecond
		} else {
			v.wrong(name, "is not a number of milliseconds", fmt.Sprintf("the limit is %s", defaultTimeout))
		}
	}
	switch name, text = v.general(e.signal, "COMPRESSION"); text {
	case "gzip":
		e.gzip = true
	case "", "none":
	default:
		v.wrong(name, "is neither gzip nor none", "nothing is compressed")
	}
}
