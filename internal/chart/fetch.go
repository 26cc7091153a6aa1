package chart

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// HTTPFetcher reads http and https URLs. Its fields may be left zero.
type HTTPFetcher struct {
	// Client makes the requests; nil means one with Helm's time limit.
	Client *http.Client
	// UserAgent is sent along; empty means Go's own.
	UserAgent string
	// MaxSize bounds the answer, in bytes; one byte more of a longer one is read.
	// 0 means no bound.
	MaxSize int64
}

// fetchTimeout is the limit that Helm sets on one download.
const fetchTimeout = 120 * time.Second

// Handles is true for "http" and "https".
func (f HTTPFetcher) Handles(scheme string) bool { return scheme == "http" || scheme == "https" }

// Fetch reads the body behind a URL; any status but 200 is an error.
func (f HTTPFetcher) Fetch(ctx context.Context, url string) ([]byte, error) {
	client := f.Client
	if client == nil {
		client = &http.Client{Timeout: fetchTimeout}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	if f.UserAgent != "" {
		request.Header.Set("User-Agent", f.UserAgent)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s", response.Status)
	}
	if f.MaxSize > 0 {
		return io.ReadAll(io.LimitReader(response.Body, f.MaxSize+1))
	}
	return io.ReadAll(response.Body)
}
