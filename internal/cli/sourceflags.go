package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pintle-dev/pintle/internal/chart"
	"github.com/pintle-dev/pintle/internal/chart/source"
	"github.com/spf13/pflag"
)

// sourceFlags say where a chart comes from; names and meaning are Helm's.
type sourceFlags struct {
	source.Request
	// update is --dependency-update.
	update bool
}

func (s *sourceFlags) add(f *pflag.FlagSet, env Env) {
	f.StringVar(&s.Version, "version", "", "the chart's version, or a range such as ^2.0.0; the newest unless given")
	f.BoolVar(&s.Devel, "devel", false, "take pre-releases too, the same as --version '>0.0.0-0'; without effect beside --version")
	f.BoolVar(&s.Verify, "verify", false, "check the chart's signature before using it")
	f.StringVar(&s.Keyring, "keyring", defaultKeyring(env), "file of the public keys for --verify")
	f.StringVar(&s.RepoURL, "repo", "", "URL of the chart repository to look in")
	f.BoolVar(&s.Access.PassCredentials, "pass-credentials", false, "send the login to other hosts than the repository's too")
	addAccess(f, &s.Access)
}

func (s *sourceFlags) addUpdate(f *pflag.FlagSet) {
	f.BoolVar(&s.update, "dependency-update", false, "fetch the dependencies that charts/ lacks first")
}

// addAccess adds the flags of a login and of TLS.
func addAccess(f *pflag.FlagSet, a *source.Access) {
	addLogin(f, a)
	addTLS(f, a)
	f.BoolVar(&a.InsecureSkipTLSVerify, "insecure-skip-tls-verify", false, "do not check the server's certificate, which makes the connection insecure")
	f.BoolVar(&a.PlainHTTP, "plain-http", false, "talk to the registry without TLS")
}

func addLogin(f *pflag.FlagSet, a *source.Access) {
	f.StringVar(&a.Username, "username", "", "user name for the repository or registry")
	f.StringVar(&a.Password, "password", "", "password for the repository or registry")
}

func addTLS(f *pflag.FlagSet, a *source.Access) {
	f.StringVar(&a.CertFile, "cert-file", "", "file of our own certificate for HTTPS")
	f.StringVar(&a.KeyFile, "key-file", "", "file of the key to --cert-file")
	f.StringVar(&a.CAFile, "ca-file", "", "file of the certificate authorities to check HTTPS servers with")
}

// defaultKeyring is GnuPG's own: the older form of the file if it is there,
// else the newer one.
func defaultKeyring(env Env) string {
	home, set := env("GNUPGHOME")
	if !set {
		user, _ := os.UserHomeDir() // without one there is no keyring either
		home = filepath.Join(user, ".gnupg")
	}
	older := filepath.Join(home, "pubring.gpg")
	for _, path := range []string{older, filepath.Join(home, "pubring.kbx")} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path
		}
	}
	return older
}

// helmFiles are the global flags that say where Helm keeps its files.
func (g *globalFlags) addHelmFiles(f *pflag.FlagSet) {
	f.StringVar(&g.files.RegistryConfig, "registry-config", g.files.RegistryConfig, "file of the registry login")
	f.StringVar(&g.files.RepositoryConfig, "repository-config", g.files.RepositoryConfig, "file of the chart repositories' names and URLs")
	f.StringVar(&g.files.RepositoryCache, "repository-cache", g.files.RepositoryCache, "folder of the repositories' cached indexes")
	f.StringVar(&g.files.ContentCache, "content-cache", g.files.ContentCache, "folder of fetched charts")
}

// sources is a client for chart sources. What Helm writes of a chart that came
// from a registry goes to told; nil says it as notes.
func (a *app) sources(told io.Writer) *source.Client {
	s := a.global.files
	s.UserAgent, s.Warn = "pintle/"+Version(), a.warn
	s.PluginEnv = a.pluginEnv()
	if s.Told = told; told == nil {
		s.Told = &noteWriter{note: a.note}
	}
	if a.global.debug {
		s.Debug = a.note
	}
	c := source.NewClient(s)
	c.Pause = a.global.retryFor
	return c
}

// pluginEnv are the variables that Helm hands to plugins.
func (a *app) pluginEnv() map[string]string {
	program := a.executable()
	g := a.global
	return map[string]string{
		"HELM_BIN": program, "HELM_DEBUG": strconv.FormatBool(g.debug), "HELM_PLUGINS": strings.Join(g.files.PluginFolders, string(os.PathListSeparator)),
		"HELM_NAMESPACE": a.namespaceOrDefault(), "HELM_KUBECONTEXT": g.context, "HELM_KUBEAPISERVER": g.apiServer,
		"HELM_KUBEASUSER": g.asUser, "HELM_KUBEASGROUPS": strings.Join(g.asGroups, ","), "HELM_KUBECAFILE": g.caFile,
		"HELM_KUBEINSECURE_SKIP_TLS_VERIFY": strconv.FormatBool(g.insecure), "HELM_KUBETLS_SERVER_NAME": g.serverName,
		"HELM_MAX_HISTORY": strconv.Itoa(g.historyMax), "HELM_BURST_LIMIT": strconv.Itoa(g.burst),
		"HELM_QPS": strconv.FormatFloat(float64(g.qps), 'f', 2, 32),
	}
}

// executable is how plugins call us: under the name by which we were called,
// since that may make us a drop-in.
func (a *app) executable() string {
	if path, err := exec.LookPath(os.Args[0]); err == nil {
		return path
	}
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

func (a *app) namespaceOrDefault() string {
	if a.global.namespace == "" {
		return "default"
	}
	return a.global.namespace
}

// from has a chart found where the flags say, and returns what fetches values.
func (a *app) from(open chart.OpenOptions, flags *sourceFlags) (chart.OpenOptions, chart.Fetcher) {
	client := a.sources(nil)
	client.MaxFile = open.Limits.Of(chart.LimitValuesSize)
	open.Find = func(ctx context.Context, ref string) (string, error) {
		found, err := client.Find(ctx, ref, flags.Request)
		return found.Path, err
	}
	open.Update = a.completing(flags)
	return open, client
}

// noteWriter says lines as notes.
type noteWriter struct {
	note func(string)
	rest string
}

// Write says the lines that are complete.
func (n *noteWriter) Write(p []byte) (int, error) {
	text := n.rest + string(p)
	for {
		line, rest, found := strings.Cut(text, "\n")
		if !found {
			n.rest = text
			return len(p), nil
		}
		if line = strings.TrimSpace(line); line != "" {
			n.note(line)
		}
		text = rest
	}
}
