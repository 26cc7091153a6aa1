package source

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/pintle-dev/pintle/internal/chart/plugin"
)

// DefaultTimeout is Helm's limit for one download.
const DefaultTimeout = 120 * time.Second

// What is fetched is held in memory: what is larger is refused.
const (
	maxChart = 128 << 20
	maxIndex = 512 << 20
)

// Client fetches. It may be used by several goroutines at once. Making one
// reads nothing; files and connections are opened when they are needed.
type Client struct {
	Settings
	// Timeout bounds each request, its body included; 0 means DefaultTimeout.
	Timeout time.Duration
	// Pause is how long is waited before a request is tried again, and twice as
	// long the next time; 0 means half a second.
	Pause time.Duration
	// MaxFile is the most that Fetch takes, in bytes; 0 means what a chart may have.
	MaxFile int64

	mu         sync.Mutex
	transports map[Access]*http.Transport
}

// NewClient makes a client.
func NewClient(s Settings) *Client {
	return &Client{Settings: s, transports: map[Access]*http.Transport{}}
}

func (c *Client) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return DefaultTimeout
}

func (c *Client) warn(text string) {
	if c.Warn != nil {
		c.Warn(text)
	}
}

func (c *Client) debug(text string) {
	if c.Debug != nil {
		c.Debug(text)
	}
}

// fetching is one thing to fetch.
type fetching struct {
	// url is the address; home is the one that the login was given for.
	url, home string
	access    Access
	accept    string
	// limit is the most that is taken, in bytes.
	limit int64
	// what it is, for messages: "the index", "the chart".
	what string
}

// get fetches with what knows the URL's scheme.
func (c *Client) get(ctx context.Context, f fetching) ([]byte, error) {
	u, err := url.Parse(f.url)
	if err != nil {
		return nil, badURL(f.url, err)
	}
	switch u.Scheme {
	case "http", "https":
		return c.getHTTP(ctx, u, f)
	case ociScheme:
		return c.getOCI(ctx, f)
	}
	getter, err := c.getter(u.Scheme)
	if err != nil {
		return nil, err
	}
	if getter == nil {
		return nil, c.noGetter(u)
	}
	return c.getPlugin(ctx, getter, u, f)
}

// Handles tells whether URLs of that scheme can be fetched.
func (c *Client) Handles(scheme string) bool {
	switch scheme {
	case "http", "https", ociScheme:
		return true
	case "", "file":
		return false
	}
	found, err := c.getter(scheme)
	return found != nil && err == nil
}

// Fetch reads a file behind a URL, such as one of values. It sends no login.
func (c *Client) Fetch(ctx context.Context, address string) ([]byte, error) {
	return c.get(ctx, fetching{url: address, home: address, limit: cmp.Or(c.MaxFile, maxChart), what: "the file"})
}

// getter is the plugin for a scheme; nil where there is none.
func (c *Client) getter(scheme string) (*plugin.Plugin, error) {
	return plugin.Find(c.PluginFolders, plugin.Getter, "", func(p *plugin.Plugin) bool {
		for _, s := range p.Protocols {
			if s == scheme {
				return true
			}
		}
		return false
	})
}
