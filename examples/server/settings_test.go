package main

import (
	"strings"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	tests := map[string]struct {
		env     map[string]string
		want    settings
		problem string
	}{
		"defaults":  {map[string]string{"STOREFRONT_TOKEN": "t"}, settings{"dev", ":8080", "t", time.Second}, ""},
		"all given": {map[string]string{"STOREFRONT_TOKEN": "t", "STOREFRONT_VERSION": "2.0.0", "STOREFRONT_ADDRESS": ":9", "STOREFRONT_SHUTDOWN_DELAY": "5ms"}, settings{"2.0.0", ":9", "t", 5 * time.Millisecond}, ""},
		"no token":  {map[string]string{}, settings{}, "STOREFRONT_TOKEN is not set"},
		"no unit":   {map[string]string{"STOREFRONT_TOKEN": "t", "STOREFRONT_SHUTDOWN_DELAY": "5"}, settings{}, `STOREFRONT_SHUTDOWN_DELAY is "5"`},
		"negative":  {map[string]string{"STOREFRONT_TOKEN": "t", "STOREFRONT_SHUTDOWN_DELAY": "-5s"}, settings{}, `STOREFRONT_SHUTDOWN_DELAY is "-5s"`},
		"both":      {map[string]string{"STOREFRONT_SHUTDOWN_DELAY": "x"}, settings{}, "SHUTDOWN_DELAY is \"x\""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := settingsFrom(func(key string) string { return test.env[key] })
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) {
					t.Errorf("error is %v, want one that says %s", err, test.problem)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}
