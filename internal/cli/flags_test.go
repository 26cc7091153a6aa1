package cli

import (
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/lifecycle"
	"github.com/pintle-dev/pintle/internal/plan"
	"github.com/pintle-dev/pintle/internal/release"
	"github.com/pintle-dev/pintle/internal/ui"
	"github.com/spf13/pflag"
)

// parsed reads the flags of install and upgrade.
func parsed(t *testing.T, args ...string) *chartFlags {
	t.Helper()
	var flags chartFlags
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.add(set, "auto")
	if err := set.Parse(args); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return &flags
}

func TestDeployOptions(t *testing.T) {
	tests := []struct {
		args  string
		check func(lifecycle.DeployOptions) bool
	}{
		{"", func(o lifecycle.DeployOptions) bool {
			p := o.Plan
			return !p.Wait && p.Timeout == 5*time.Minute && p.Strict && !p.Tests.Run && o.DryRun == lifecycle.Run && !o.RollbackOnFailure
		}},
		{"--wait", func(o lifecycle.DeployOptions) bool { return o.Plan.Wait }},
		{"--wait=legacy", func(o lifecycle.DeployOptions) bool { return o.Plan.Wait }},
		{"--wait=true", func(o lifecycle.DeployOptions) bool { return o.Plan.Wait }},
		{"--wait=hookOnly", func(o lifecycle.DeployOptions) bool { return !o.Plan.Wait }},
		{"--wait=false", func(o lifecycle.DeployOptions) bool { return !o.Plan.Wait }},
		{"--wait --wait-for-jobs --timeout 90s", func(o lifecycle.DeployOptions) bool { return o.Plan.WaitForJobs && o.Plan.Timeout == 90*time.Second }},
		{"--rollback-on-failure", func(o lifecycle.DeployOptions) bool { return o.RollbackOnFailure && o.Plan.Wait }},
		{"--atomic", func(o lifecycle.DeployOptions) bool { return o.RollbackOnFailure && o.Plan.Wait }},
		{"--dry-run", func(o lifecycle.DeployOptions) bool { return o.DryRun == lifecycle.DryRunClient }},
		{"--dry-run=true", func(o lifecycle.DeployOptions) bool { return o.DryRun == lifecycle.DryRunClient }},
		{"--dry-run=server", func(o lifecycle.DeployOptions) bool { return o.DryRun == lifecycle.DryRunServer }},
		{"--dry-run=none", func(o lifecycle.DeployOptions) bool { return o.DryRun == lifecycle.Run }},
		{"--server-side", func(o lifecycle.DeployOptions) bool { return true }},
		{"--disable-openapi-validation", func(o lifecycle.DeployOptions) bool { return !o.Plan.Strict }},
		{"--test --test-timeout 9s --test-parallel 3 --test-retries 2 --test-fail-fast", func(o lifecycle.DeployOptions) bool {
			t := o.Plan.Tests
			return t.Run && t.Timeout == 9*time.Second && t.Parallel == 3 && t.Retries == 2 && t.FailFast && t.Select == nil
		}},
		{"-l a=b,c=d", func(o lifecycle.DeployOptions) bool { return o.Labels["a"] == "b" && o.Labels["c"] == "d" }},
		{"-f a.yaml -f b.yaml --set x=1,y=2 --set z={a}", func(o lifecycle.DeployOptions) bool {
			return strings.Join(o.Values.Files, " ") == "a.yaml b.yaml" && strings.Join(o.Values.Set, " ") == "x=1,y=2 z={a}"
		}},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			opts, err := parsed(t, strings.Fields(tt.args)...).options(nil, func(string) (string, bool) { return "", false })
			if err != nil {
				t.Fatal(err)
			}
			if !tt.check(opts) {
				t.Errorf("got %+v", opts)
			}
		})
	}
}

func TestReusePolicies(t *testing.T) {
	tests := map[reuseFlags]chart.ValuesPolicy{
		{}:                     chart.KeepIfNone,
		{reset: true}:          chart.ResetValues,
		{reuse: true}:          chart.ReuseValues,
		{resetThenReuse: true}: chart.ResetThenReuseValues,
		{reset: true, reuse: true, resetThenReuse: true}: chart.ResetValues,
		{reuse: true, resetThenReuse: true}:              chart.ReuseValues,
	}
	for flags, want := range tests {
		if got := flags.policy(); got != want {
			t.Errorf("%+v: got %v, want %v", flags, got, want)
		}
	}
}

func TestLogModes(t *testing.T) {
	for text, want := range map[string]ui.LogMode{
		"always": ui.LogsAlways, "true": ui.LogsAlways, "false": ui.LogsAuto, "never": ui.LogsNever, "failed": ui.LogsFailed, "auto": ui.LogsAuto,
	} {
		var l logMode
		if err := l.Set(text); err != nil || l.value != want {
			t.Errorf("%s: got %s, %v", text, l.value, err)
		}
	}
}

func TestTestSelector(t *testing.T) {
	hooks := []plan.Hook{
		{Hook: &release.Hook{Name: "web-connect"}, Steering: release.Options{Suite: "net"}},
		{Hook: &release.Hook{Name: "web-auth"}},
		{Hook: &release.Hook{Name: "db"}, Steering: release.Options{Suite: "data"}},
	}
	tests := map[string]string{
		"name=db":                 "db",
		"name=web-*":              "web-connect web-auth",
		"name=web-*,name=db":      "web-connect web-auth db",
		"!name=db":                "web-connect web-auth",
		"! name=db":               "web-connect web-auth",
		"name=web-*,!name=*-auth": "web-connect",
		"suite=data":              "db",
		"!suite=*":                "",
	}
	for text, want := range tests {
		pick, err := testSelector(strings.Split(text, ","))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, h := range hooks {
			if pick(h) {
				got = append(got, h.Name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", text, got, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	set := map[string]string{
		"HELM_NAMESPACE": "shop", "HELM_KUBECONTEXT": "prod", "HELM_KUBETOKEN": "t", "HELM_KUBEAPISERVER": "https://a", "HELM_KUBEASUSER": "u",
		"HELM_KUBEASGROUPS": "g1,g2", "HELM_KUBECAFILE": "ca", "HELM_KUBEINSECURE_SKIP_TLS_VERIFY": "true", "HELM_KUBETLS_SERVER_NAME": "s",
		"HELM_DRIVER": "configmap", "HELM_MAX_HISTORY": "3", "HELM_BURST_LIMIT": "7", "HELM_QPS": "1.5", "HELM_DEBUG": "1", "HELM_COLOR": "Always",
	}
	g := globalDefaults(func(name string) (string, bool) { v, ok := set[name]; return v, ok })
	k := g.kube()
	if k.Namespace != "shop" || k.Context != "prod" || k.Token != "t" || k.APIServer != "https://a" || k.AsUser != "u" ||
		strings.Join(k.AsGroups, " ") != "g1 g2" || k.CAFile != "ca" || !k.InsecureSkipTLSVerify || k.TLSServerName != "s" || k.QPS != 1.5 || k.Burst != 7 {
		t.Errorf("cluster: %+v", k)
	}
	if g.recordDriver != "configmap" || g.historyMax != 3 || !g.debug || g.color != "always" {
		t.Errorf("the rest: %+v", g)
	}
	set = map[string]string{"NO_COLOR": "1", "HELM_COLOR": "always", "HELM_MAX_HISTORY": "many", "HELM_KUBEASGROUPS": " ,"}
	g = globalDefaults(func(name string) (string, bool) { v, ok := set[name]; return v, ok })
	if g.color != "never" || g.historyMax != defaultHistoryMax || g.asGroups != nil || g.burst != defaultBurst {
		t.Errorf("defaults: %+v", g)
	}
}

func TestGeneratedName(t *testing.T) {
	now := time.Unix(1700000000, 0)
	for chart, want := range map[string]string{
		"./web": "web-1700000000", "charts/web-1.2.tgz": "web-1-1700000000", ".": "chart-1700000000",
	} {
		if got := generatedName(chart, now); got != want {
			t.Errorf("%s: got %s, want %s", chart, got, want)
		}
	}
}

func TestBuildVersion(t *testing.T) {
	built := func(v string) func() (*debug.BuildInfo, bool) {
		return func() (*debug.BuildInfo, bool) { return &debug.BuildInfo{Main: debug.Module{Version: v}}, true }
	}
	tests := []struct{ linked, module, want string }{
		{"v1.2.3", "v0.9.0", "v1.2.3"},
		{"", "v0.9.0", "v0.9.0"},
		{"", "(devel)", developing},
		{"", "v0.0.0-20250611142231-0123456789ab", developing},
		{"", "v0.9.0+dirty", developing},
	}
	for _, tt := range tests {
		if got := buildVersion(tt.linked, built(tt.module)); got != tt.want {
			t.Errorf("linked %q, module %q: got %s, want %s", tt.linked, tt.module, got, tt.want)
		}
	}
}

// TestEveryCommandIsComplete finds commands that were added in a hurry.
func TestEveryCommandIsComplete(t *testing.T) {
	root := newRoot(newApp(Streams{}, noCluster))
	for _, c := range root.Commands() {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: the short help must be there and end without a full stop", c.Name())
		}
		if c.Args == nil {
			t.Errorf("%s: the arguments are not checked", c.Name())
		}
		if c.ValidArgsFunction == nil && !c.HasSubCommands() {
			t.Errorf("%s: the arguments cannot be completed", c.Name())
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: flag --%s has no help", c.Name(), f.Name)
			}
		})
	}
}
