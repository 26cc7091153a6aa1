package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/pintle-dev/pintle/internal/diag"
	"sigs.k8s.io/yaml"
)

// Repository is an entry of repositories.yaml.
type Repository struct {
	Name                  string `json:"name"`
	URL                   string `json:"url"`
	Username              string `json:"username"`
	Password              string `json:"password"`
	CertFile              string `json:"certFile"`
	KeyFile               string `json:"keyFile"`
	CAFile                string `json:"caFile"`
	InsecureSkipTLSVerify bool   `json:"insecure_skip_tls_verify"`
	PassCredentialsAll    bool   `json:"pass_credentials_all"`
}

func (r Repository) access() Access {
	return Access{
		Username: r.Username, Password: r.Password, PassCredentials: r.PassCredentialsAll,
		CAFile: r.CAFile, CertFile: r.CertFile, KeyFile: r.KeyFile, InsecureSkipTLSVerify: r.InsecureSkipTLSVerify,
	}
}

// repositoryFile is repositories.yaml as Helm writes it.
type repositoryFile struct {
	APIVersion   string       `json:"apiVersion"`
	Generated    time.Time    `json:"generated"`
	Repositories []Repository `json:"repositories"`
}

// Repositories are those of repositories.yaml, in its order; none where there
// is no such file.
func (c *Client) Repositories() ([]Repository, error) {
	file, err := c.readRepositories()
	return file.Repositories, err
}

func (c *Client) readRepositories() (repositoryFile, error) {
	var file repositoryFile
	data, err := os.ReadFile(c.RepositoryConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return file, nil
	}
	if err != nil {
		return file, diag.Problem{Summary: "the list of chart repositories cannot be read", Detail: err.Error(), File: c.RepositoryConfig}
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return file, diag.Problem{Summary: "the list of chart repositories is not valid", Detail: err.Error(), File: c.RepositoryConfig}
	}
	return file, nil
}

// repository is the one of a name.
func (c *Client) repository(name string) (Repository, bool, error) {
	all, err := c.Repositories()
	at := slices.IndexFunc(all, func(r Repository) bool { return r.Name == name })
	if err != nil || at < 0 {
		return Repository{}, false, err
	}
	return all[at], true, nil
}

// lockPatience is how long we wait for another process, as Helm does.
const lockPatience = 30 * time.Second

// changeRepositories rewrites repositories.yaml under Helm's own lock. change
// returns false for nothing to write.
func (c *Client) changeRepositories(ctx context.Context, change func(*repositoryFile) (bool, error)) error {
	path := c.RepositoryConfig
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("changing the list of chart repositories: %w", err)
	}
	lock := flock.New(lockPath(path))
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return diag.Problem{Summary: "the list of chart repositories is locked by another process", Detail: err.Error(), File: path}
	}
	defer func() { _ = lock.Unlock() }()
	file, err := c.readRepositories()
	if err != nil {
		return err
	}
	if write, err := change(&file); err != nil || !write {
		return err
	}
	if file.Repositories == nil {
		file.Repositories = []Repository{}
	}
	data, err := yaml.Marshal(file)
	if err != nil {
		return fmt.Errorf("changing the list of chart repositories: %w", err)
	}
	return writeFile(path, data, 0o600)
}

func lockPath(path string) string {
	if ext := filepath.Ext(path); ext != "" && len(ext) < len(path) {
		path = strings.TrimSuffix(path, ext)
	}
	return path + ".lock"
}

// AddRepository reads a repository's index and adds it to repositories.yaml.
// added is false when it is there already, just so; another one of the name is
// an error unless force replaces it. Nothing is written when the index cannot
// be read.
func (c *Client) AddRepository(ctx context.Context, r Repository, force bool) (added bool, err error) {
	if strings.Contains(r.Name, "/") {
		return false, diag.Problem{Summary: fmt.Sprintf("the name %q of a repository must not contain a slash", r.Name)}
	}
	err = c.changeRepositories(ctx, func(file *repositoryFile) (bool, error) {
		at := slices.IndexFunc(file.Repositories, func(o Repository) bool { return o.Name == r.Name })
		if at >= 0 && !force {
			if file.Repositories[at] == r {
				return false, nil
			}
			return false, diag.Problem{
				Summary: fmt.Sprintf("repository name (%s) already exists, please specify a different name", r.Name),
				Detail:  fmt.Sprintf("it is %s; --force-update replaces it", Mask(file.Repositories[at].URL)),
			}
		}
		if err := c.UpdateRepository(ctx, r); err != nil {
			return false, err
		}
		if at >= 0 {
			file.Repositories[at] = r
		} else {
			file.Repositories = append(file.Repositories, r)
		}
		added = true
		return true, nil
	})
	return added, err
}

// RemoveRepository takes a repository out of repositories.yaml and drops its
// cached index.
func (c *Client) RemoveRepository(ctx context.Context, name string) error {
	return c.changeRepositories(ctx, func(file *repositoryFile) (bool, error) {
		if len(file.Repositories) == 0 {
			return false, diag.Problem{Summary: "no repositories configured"}
		}
		at := slices.IndexFunc(file.Repositories, func(o Repository) bool { return o.Name == name })
		if at < 0 {
			return false, diag.Problem{Summary: fmt.Sprintf("no repo named %q found", name), Detail: "there are: " + strings.Join(names(file.Repositories), ", ")}
		}
		file.Repositories = slices.Delete(file.Repositories, at, at+1)
		for _, cached := range []string{c.chartsPath(name), c.indexPath(name)} {
			if err := os.Remove(cached); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return false, fmt.Errorf("removing the cached index: %w", err)
			}
		}
		return true, nil
	})
}

func names(all []Repository) []string {
	out := make([]string, len(all))
	for i, r := range all {
		out[i] = r.Name
	}
	return out
}

// writeFile replaces a file as a whole, so that no reader sees half of it.
func writeFile(path string, data []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
