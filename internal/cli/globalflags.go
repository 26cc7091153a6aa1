package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/pintle-dev/pintle/internal/kube"
	"github.com/spf13/pflag"
)

// globalFlags are those of every command: which cluster, which namespace, as
// whom, and how the output looks. Names, defaults and variables are Helm's.
type globalFlags struct {
	namespace    string
	kubeconfig   string
	context      string
	token        string
	apiServer    string
	asUser       string
	asGroups     []string
	caFile       string
	serverName   string
	insecure     bool
	qps          float32
	burst        int
	historyMax   int
	debug        bool
	color        string
	recordDriver string
	// files are Helm's files about where charts come from.
	files source.Settings
	// retryFor bounds how long one request is tried again; 0 means the client's own limit.
	retryFor time.Duration
	// profile is the beginning of the names of the files that --profile writes.
	profile string
	timings bool
}

// Helm's defaults.
const (
	defaultBurst      = 100
	defaultHistoryMax = 10
)

// globalDefaults reads the environment. What makes no sense there counts as
// not set, as in Helm.
func globalDefaults(env Env) globalFlags {
	return globalFlags{
		namespace:    env.text("HELM_NAMESPACE"),
		context:      env.text("HELM_KUBECONTEXT"),
		token:        env.text("HELM_KUBETOKEN"),
		apiServer:    env.text("HELM_KUBEAPISERVER"),
		asUser:       env.text("HELM_KUBEASUSER"),
		asGroups:     envList(env, "HELM_KUBEASGROUPS"),
		caFile:       env.text("HELM_KUBECAFILE"),
		serverName:   env.text("HELM_KUBETLS_SERVER_NAME"),
		insecure:     envParsed(env, "HELM_KUBEINSECURE_SKIP_TLS_VERIFY", false, strconv.ParseBool),
		burst:        envParsed(env, "HELM_BURST_LIMIT", defaultBurst, strconv.Atoi),
		qps:          envParsed(env, "HELM_QPS", 0, parseFloat32),
		historyMax:   envParsed(env, "HELM_MAX_HISTORY", defaultHistoryMax, strconv.Atoi),
		debug:        envParsed(env, "HELM_DEBUG", false, strconv.ParseBool),
		color:        envColor(env),
		recordDriver: env.text("HELM_DRIVER"),
		files:        source.DefaultSettings(source.Environment(env)),
	}
}

func parseFloat32(s string) (float32, error) {
	f, err := strconv.ParseFloat(s, 32)
	return float32(f), err
}

func envParsed[T any](env Env, name string, fallback T, parse func(string) (T, error)) T {
	if text, set := env(name); set {
		if value, err := parse(text); err == nil {
			return value
		}
	}
	return fallback
}

func envList(env Env, name string) []string {
	text := strings.Trim(env.text(name), ", ")
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

var colorModes = []string{"never", "auto", "always"}

func envColor(env Env) string {
	if env.text("NO_COLOR") != "" {
		return "never"
	}
	if mode := strings.ToLower(env.text("HELM_COLOR")); slices.Contains(colorModes, mode) {
		return mode
	}
	return "auto"
}

func (g *globalFlags) add(f *pflag.FlagSet) {
	f.StringVarP(&g.namespace, "namespace", "n", g.namespace, "namespace of the release")
	f.StringVar(&g.kubeconfig, "kubeconfig", "", "path of the kubeconfig file")
	f.StringVar(&g.context, "kube-context", g.context, "context of the kubeconfig to use")
	f.StringVar(&g.token, "kube-token", g.token, "bearer token to log in with")
	f.StringVar(&g.apiServer, "kube-apiserver", g.apiServer, "address and port of the API server")
	f.StringVar(&g.asUser, "kube-as-user", g.asUser, "user to impersonate")
	f.StringArrayVar(&g.asGroups, "kube-as-group", g.asGroups, "group to impersonate, repeatable")
	f.StringVar(&g.caFile, "kube-ca-file", g.caFile, "file of the certificate authority of the API server")
	f.StringVar(&g.serverName, "kube-tls-server-name", g.serverName, "name to expect in the API server's certificate")
	f.BoolVar(&g.insecure, "kube-insecure-skip-tls-verify", g.insecure, "do not check the API server's certificate, which makes the connection insecure")
	f.IntVar(&g.burst, "burst-limit", g.burst, "with --qps: how many requests may go out at once")
	f.Float32Var(&g.qps, "qps", g.qps, "limit of requests per second; 0 leaves the pace to the API server")
	f.BoolVar(&g.debug, "debug", g.debug, "show more: values, hooks and manifest of the release, a line for each object, the requests made")
	f.StringVar(&g.profile, "profile", "", "`PREFIX` of the files to write about this run: PREFIX.cpu.pprof, PREFIX.heap.pprof and PREFIX.trace")
	f.BoolVar(&g.timings, "timings", false, "show at the end where the time went: phases, and requests to the API server")
	f.Var(&choice{value: &g.color, known: colorModes}, "color", "colour the output: never, auto or always")
	f.Var(&choice{value: &g.color, known: colorModes}, "colour", "another spelling of --color")
	_ = f.MarkHidden("colour") // the flag is there: it was added above
	g.addHelmFiles(f)
}

// kube are the options of a client.
func (g *globalFlags) kube() kube.Options {
	return kube.Options{
		Kubeconfig: g.kubeconfig, Context: g.context, Token: g.token, APIServer: g.apiServer,
		CAFile: g.caFile, AsUser: g.asUser, AsGroups: g.asGroups,
		TLSServerName: g.serverName, InsecureSkipTLSVerify: g.insecure, Namespace: g.namespace,
		QPS: g.qps, Burst: g.burst, UserAgent: "pintle/" + Version(), CacheDir: cacheDir(), RetryFor: g.retryFor,
	}
}

// cacheDir is where discovery is kept between runs; nowhere when the user has
// no cache folder.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "pintle", "discovery")
}

// choice is a flag that takes one of a few words.
type choice struct {
	value *string
	known []string
}

// String is the present value.
func (c *choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

// Type is what the help shows for the value.
func (c *choice) Type() string { return "string" }

// Set takes a known word.
func (c *choice) Set(s string) error {
	if !slices.Contains(c.known, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.known, ", "))
	}
	*c.value = s
	return nil
}
