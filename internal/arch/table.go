package arch

// module is the path of the product's own Go module.
const module = "github.com/pintle-dev/pintle"

// row is one package and what of this module it may import. Paths are
// relative to internal/, but for the command.
type row struct {
	pkg  string
	may  []string
	test bool // it only serves tests
}

// layers is the table of docs/architecture.md. Rows arrive with their packages.
var layers = []row{
	{pkg: "pattern"},
	{pkg: "heap"},
	{pkg: "object", may: []string{"pattern"}},
	{pkg: "diag"},
	{pkg: "arch"},
	{pkg: "health", may: []string{"object", "pattern"}},
	{pkg: "release", may: []string{"object", "diag", "pattern"}},
	{pkg: "release/store", may: []string{"release"}},
	{pkg: "release/store/postgres", may: []string{"release", "release/store"}},
	{pkg: "release/store/postgres/postgrestest", test: true},
	{pkg: "release/store/storetest", may: []string{"release", "release/store"}, test: true},
	{pkg: "ledger", may: []string{"object", "release"}},
	{pkg: "chart", may: []string{"chart/plugin", "diag", "pattern"}},
	{pkg: "chart/plugin", may: []string{"diag"}},
	{pkg: "chart/source", may: []string{"chart/plugin", "diag"}},
	{pkg: "chart/source/sourcetest", test: true},
	{pkg: "chart/dependency", may: []string{"chart/source", "diag"}},
	{pkg: "chart/packing", may: []string{"diag"}},
	{pkg: "plan", may: []string{"diag", "object", "release"}},
	{pkg: "event", may: []string{"diag", "health", "ledger", "object", "plan"}},
	{pkg: "lock", may: []string{"release"}},
	{pkg: "lock/locktest", may: []string{"lock", "release"}, test: true},
	{pkg: "kube", may: []string{"health", "ledger", "lock", "object", "pattern"}},
	{pkg: "kube/kubefake", may: []string{"ledger", "object"}, test: true},
	{pkg: "engine", may: []string{"diag", "health", "ledger", "object", "plan", "release", "event"}},
	{pkg: "preflight", may: []string{"diag", "object", "plan", "release"}},
	{pkg: "lifecycle", may: []string{"chart", "diag", "engine", "ledger", "lock", "object", "plan", "preflight", "release", "event"}},
	{pkg: "telemetry", may: []string{"diag", "event", "health", "ledger", "object", "plan", "release"}},
	{pkg: "ui", may: []string{"diag", "health", "ledger", "object", "plan", "release", "event"}},
	{pkg: "ui/report", may: []string{"ledger", "object", "release"}},
	{pkg: "cli", may: []string{
		"chart", "chart/dependency", "chart/packing", "chart/plugin", "chart/source", "diag", "engine", "event", "health", "kube", "ledger", "lifecycle", "lock", "object", "plan", "release", "release/store", "release/store/postgres", "telemetry", "ui", "ui/report",
	}},
	{pkg: "cmd/pintle", may: []string{"cli", "heap"}},
}

// library is a library, named by the beginning of its import paths, and the
// packages whose code may use it.
type library struct {
	prefix string
	users  []string
	// tests tells that tests of any package may use it too.
	tests bool
}

// libraries are those that only some packages may use. Nobody may use Helm's
// own lifecycle, tests included: it is what this product replaces.
var libraries = []library{
	{prefix: "helm.sh/helm/v4/pkg/action"},
	{prefix: "helm.sh/helm/v4/pkg/kube"},
	{prefix: "helm.sh/helm/v4/pkg/storage"},
	{prefix: "helm.sh/helm/v4/pkg/cmd"},
	{prefix: "helm.sh/helm/", users: []string{"chart", "chart/dependency", "chart/packing", "chart/plugin", "chart/source"}, tests: true},
	{prefix: "k8s.io/client-go/util/jsonpath", users: []string{"chart"}, tests: true},
	{prefix: "k8s.io/client-go/kubernetes/scheme", users: []string{"chart"}, tests: true},
	{prefix: "k8s.io/client-go/", users: []string{"kube"}, tests: true},
	{prefix: "github.com/spf13/", users: []string{"cli"}, tests: true},
	{prefix: "github.com/lib/pq", users: []string{"release/store/postgres", "release/store/postgres/postgrestest"}, tests: true},
	{prefix: "charm.land/", users: []string{"ui"}},
	{prefix: "go.opentelemetry.io/", users: []string{"telemetry"}},
	{prefix: "golang.org/x/term", users: []string{"cli"}},
	{prefix: "os/signal", users: []string{"cli"}},
}
