package image

import (
	_ "embed"
	"path/filepath"
)

// Pause is the image of the process that holds a pod's namespaces.
const Pause = "registry.k8s.io/pause:3.10"

// Programs says where the programs that go into images were built.
type Programs struct {
	// Kubectl is Kubernetes' client.
	Kubectl string
	// Tools is the program of sandbox/cmd/image-tools.
	Tools string
	// Dir holds programs of this repository that have images of their own. One
	// that was not built has no image.
	Dir string
}

//go:embed files/postgres-entrypoint.sh
var postgresEntrypoint string

//go:embed files/nginx.conf
var nginxConf string

//go:embed files/nginx-default.conf
var nginxDefaultConf string

// searchPath is the PATH of every image.
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// base is what all images but bare ones start from: busybox for a shell and the
// usual commands. wget is GNU's and nc is OpenBSD's: Debian's busybox crashes on
// `wget -T`, and its nc has no `-z`.
var base = Recipe{
	Packages: []string{"busybox", "wget", "netcat-openbsd", "libc-bin"},
	Files: []File{
		{Path: "/usr/bin/nc", Link: "nc.openbsd"},
		{Path: "/etc/passwd", Mode: 0o644, Content: `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nginx:x:101:101:nginx:/var/cache/nginx:/bin/false
postgres:x:999:999:postgres:/var/lib/postgresql:/bin/sh
nonroot:x:65532:65532:nonroot:/home:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`},
		{Path: "/etc/group", Mode: 0o644, Content: `root:x:0:
daemon:x:1:
tty:x:5:
www-data:x:33:
nginx:x:101:
postgres:x:999:
nonroot:x:65532:
nogroup:x:65534:
`},
		{Path: "/etc/nsswitch.conf", Mode: 0o644, Content: "passwd: files\ngroup: files\nhosts: files dns\n"},
		{Path: "/home", Dir: true, Mode: 0o755, UID: 65534, GID: 65534},
		{Path: "/root", Dir: true, Mode: 0o700},
		{Path: "/run", Dir: true, Mode: 0o755},
		{Path: "/var/run", Link: "/run"},
		{Path: "/tmp", Dir: true, Mode: 0o1777},
		{Path: "/var/tmp", Dir: true, Mode: 0o1777},
	},
}

// Catalogue lists the images of a sandbox.
func Catalogue(programs Programs) []Recipe {
	recipes := []Recipe{pause(programs), busybox(), postgres(programs), nginx(), kubectl(programs)}
	for _, program := range ownPrograms {
		program.binary = filepath.Join(programs.Dir, program.binary)
		if recipe, ok := program.recipe(); ok {
			recipes = append(recipes, recipe)
		}
	}
	return recipes
}

func pause(programs Programs) Recipe {
	return Recipe{
		Repository: "registry.k8s.io/pause",
		Tags:       []string{"3.10"},
		Bare:       true,
		Files:      []File{{Path: "/pause", Mode: 0o755, Source: programs.Tools}},
		Entrypoint: []string{"/pause"},
		User:       "65535:65535",
	}
}

func busybox() Recipe {
	return Recipe{
		Repository: "docker.io/library/busybox",
		Tags:       []string{"1.36", "1.36.1", "latest", "stable"},
		Cmd:        []string{"sh"},
		Env:        []string{searchPath},
	}
}

// postgres keeps what charts rely on in the image of that name: its variables,
// its entrypoint, its user and the folder of first-start scripts.
func postgres(programs Programs) Recipe {
	files := []File{
		{Path: "/usr/local/bin/docker-entrypoint.sh", Mode: 0o755, Content: postgresEntrypoint},
		{Path: "/usr/local/bin/gosu", Mode: 0o755, Source: programs.Tools},
		{Path: "/docker-entrypoint-initdb.d", Dir: true, Mode: 0o755},
		{Path: "/run/postgresql", Dir: true, Mode: 0o3777, UID: 999, GID: 999},
		{Path: "/var/lib/postgresql", Dir: true, Mode: 0o1777, UID: 999, GID: 999},
		{Path: "/var/lib/postgresql/data", Dir: true, Mode: 0o1777, UID: 999, GID: 999},
	}
	// Debian's own links lead to a wrapper in Perl, for several clusters on one
	// machine.
	for _, name := range []string{"psql", "pg_isready", "pg_dump", "pg_dumpall", "pg_restore", "pg_basebackup", "createdb", "createuser", "dropdb", "dropuser", "pgbench", "vacuumdb", "reindexdb"} {
		files = append(files, File{Path: "/usr/bin/" + name, Link: "../lib/postgresql/15/bin/" + name})
	}
	return Recipe{
		Repository: "docker.io/library/postgres",
		Tags:       []string{"15", "15.0", "latest"},
		Packages:   []string{"postgresql-15", "bash", "tzdata"},
		Files:      files,
		Entrypoint: []string{"docker-entrypoint.sh"},
		Cmd:        []string{"postgres"},
		Env:        []string{searchPath + ":/usr/lib/postgresql/15/bin", "LANG=C.UTF-8", "PG_MAJOR=15", "PGDATA=/var/lib/postgresql/data"},
		Ports:      []string{"5432/tcp"},
		Volumes:    []string{"/var/lib/postgresql/data"},
		// Fast shutdown; the default, smart, waits for clients to leave.
		StopSignal: "SIGINT",
	}
}

func nginx() Recipe {
	return Recipe{
		Repository: "docker.io/library/nginx",
		Tags:       []string{"1.16.0", "1.16", "latest", "stable"},
		Packages:   []string{"nginx"},
		Files: []File{
			{Path: "/etc/nginx/nginx.conf", Mode: 0o644, Content: nginxConf},
			{Path: "/etc/nginx/conf.d/default.conf", Mode: 0o644, Content: nginxDefaultConf},
			{Path: "/var/cache/nginx", Dir: true, Mode: 0o755, UID: 101, GID: 101},
			{Path: "/var/log/nginx", Dir: true, Mode: 0o755, UID: 101, GID: 101},
			{Path: "/var/log/nginx/access.log", Link: "/dev/stdout"},
			{Path: "/var/log/nginx/error.log", Link: "/dev/stderr"},
		},
		Cmd:        []string{"nginx", "-g", "daemon off;"},
		Env:        []string{searchPath, "NGINX_VERSION=1.16.0"},
		Ports:      []string{"80/tcp"},
		StopSignal: "SIGTERM",
	}
}

func kubectl(programs Programs) Recipe {
	return Recipe{
		Repository: "docker.io/bitnami/kubectl",
		Tags:       []string{"1.30", "latest"},
		Packages:   []string{"bash", "jq", "curl"},
		Files: []File{
			{Path: "/opt/bitnami/kubectl/bin/kubectl", Mode: 0o755, Source: programs.Kubectl},
			{Path: "/usr/local/bin/kubectl", Link: "/opt/bitnami/kubectl/bin/kubectl"},
		},
		Entrypoint: []string{"kubectl"},
		Cmd:        []string{"--help"},
		Env:        []string{searchPath + ":/opt/bitnami/kubectl/bin", "HOME=/tmp"},
		User:       "1001",
		WorkingDir: "/tmp",
	}
}
