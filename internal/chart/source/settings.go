package source

import (
	"io"

	"github.com/pintle-dev/pintle/internal/chart/plugin"
	"helm.sh/helm/v4/pkg/helmpath"
)

// Settings say where Helm keeps its files, and what getter plugins are told.
type Settings struct {
	// RepositoryConfig is the file repositories.yaml.
	RepositoryConfig string
	// RepositoryCache is the folder of the cached indexes.
	RepositoryCache string
	// RegistryConfig is the file of the registry login.
	RegistryConfig string
	// ContentCache is the folder of fetched charts, by their digest.
	ContentCache string
	// PluginFolders are searched for getter plugins.
	PluginFolders []string
	// PluginEnv are the variables that Helm gives to plugins, HELM_BIN among
	// them; those of the files above are added.
	PluginEnv map[string]string
	// UserAgent is sent with requests; empty means Go's own.
	UserAgent string
	// Told is where it is written which chart came from a registry, with its
	// digest, as Helm writes it; nil for nowhere.
	Told io.Writer
	// Warn takes what a user should know although it goes on; nil drops it.
	Warn func(text string)
	// Debug is told of every request; nil drops it.
	Debug func(text string)
}

// Environment is how variables are looked up, as os.LookupEnv does.
type Environment func(name string) (value string, set bool)

// DefaultSettings are Helm's: its variables, else its folders by the rules of
// XDG.
func DefaultSettings(env Environment) Settings {
	or := func(name, fallback string) string {
		if value, set := env(name); set {
			return value
		}
		return fallback
	}
	plugins, _ := env("HELM_PLUGINS")
	return Settings{
		RepositoryConfig: or("HELM_REPOSITORY_CONFIG", helmpath.ConfigPath("repositories.yaml")),
		RepositoryCache:  or("HELM_REPOSITORY_CACHE", helmpath.CachePath("repository")),
		RegistryConfig:   or("HELM_REGISTRY_CONFIG", helmpath.ConfigPath("registry/config.json")),
		ContentCache:     or("HELM_CONTENT_CACHE", helmpath.CachePath("content")),
		PluginFolders:    plugin.Folders(plugins),
	}
}

// Variables are those that plugins get and that Helm's `env` shows.
func (s Settings) Variables() map[string]string { return s.pluginEnv() }

// pluginEnv are the variables of a plugin that fetches.
func (s Settings) pluginEnv() map[string]string {
	env := map[string]string{
		"HELM_CACHE_HOME":        helmpath.CachePath(""),
		"HELM_CONFIG_HOME":       helmpath.ConfigPath(""),
		"HELM_DATA_HOME":         helmpath.DataPath(""),
		"HELM_REGISTRY_CONFIG":   s.RegistryConfig,
		"HELM_REPOSITORY_CACHE":  s.RepositoryCache,
		"HELM_REPOSITORY_CONFIG": s.RepositoryConfig,
		"HELM_CONTENT_CACHE":     s.ContentCache,
	}
	for name, value := range s.PluginEnv {
		env[name] = value
	}
	return env
}

// Access is how a server is reached: the login, and what TLS needs.
type Access struct {
	Username, Password string
	// PassCredentials sends the login to other hosts too.
	PassCredentials bool
	// CAFile is what to check the server's certificate with; CertFile and
	// KeyFile are our own certificate. All are paths of PEM files.
	CAFile, CertFile, KeyFile string
	InsecureSkipTLSVerify     bool
	// PlainHTTP talks to registries without TLS.
	PlainHTTP bool
}

// over is this access with what it leaves open taken from another.
func (a Access) over(b Access) Access {
	if a.Username == "" && a.Password == "" {
		a.Username, a.Password = b.Username, b.Password
	}
	if a.CAFile == "" && a.CertFile == "" && a.KeyFile == "" {
		a.CAFile, a.CertFile, a.KeyFile = b.CAFile, b.CertFile, b.KeyFile
	}
	a.PassCredentials = a.PassCredentials || b.PassCredentials
	a.InsecureSkipTLSVerify = a.InsecureSkipTLSVerify || b.InsecureSkipTLSVerify
	a.PlainHTTP = a.PlainHTTP || b.PlainHTTP
	return a
}
