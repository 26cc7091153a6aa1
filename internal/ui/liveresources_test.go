package ui

import (
	"encoding/json"
	"testing"
)

func TestLiveObjectsAreWhereHelmPutsThem(t *testing.T) {
	live := map[string][]any{"v1/ConfigMap": {map[string]any{"kind": "ConfigMap"}}}
	const objects = `"resources":{"v1/ConfigMap":[{"kind":"ConfigMap"}]}`
	for record, want := range map[string]string{
		`{"name":"shop","info":{"status":"deployed"},"version":1}`: `{"name":"shop","info":{"status":"deployed",` + objects + `},"version":1}`,
		`{"info":{},"version":1}`:                                  `{"info":{` + objects + `},"version":1}`,
	} {
		got, err := withLive(json.RawMessage(record), live)
		if err != nil || string(got) != want {
			t.Errorf("got %s, %v\nwant %s", got, err, want)
		}
	}
	if got, err := withLive(json.RawMessage(`{"info":{}}`), nil); err != nil || string(got) != `{"info":{}}` {
		t.Errorf("without live objects: %s, %v", got, err)
	}
}
