package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pintle-dev/pintle/internal/kube"
)

// reading is a connection for commands that only read.
type reading struct {
	client    *kube.Client
	records   recordStore
	namespace string
}

// read prepares a connection for a command that changes nothing. No request is
// made yet.
func (a *app) read() (*reading, error) {
	opts := a.global.kube()
	opts.Exchanged = a.watch.exchanged()
	client, err := kube.Connect(opts)
	if err != nil {
		return nil, err
	}
	records, err := a.records(client)
	if err != nil {
		return nil, err
	}
	return &reading{client: client, records: records, namespace: client.Namespace()}, nil
}

// requestText lists request counts by verb.
func requestText(counts map[string]int) string {
	var parts []string
	for _, verb := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", verb, counts[verb]))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
