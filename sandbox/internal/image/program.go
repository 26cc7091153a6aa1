package image

import "os"

// program is an image with one static program of this repository in it.
type program struct {
	repository string
	tags       []string
	// tagEnv is a variable that tells the program under which tag it runs.
	tagEnv string
	// binary is the program's name in the folder of built programs.
	binary string
	ports  []string
}

// ownPrograms are the images of this repository's own programs. build.sh builds
// each program; one whose source is not there is left out.
var ownPrograms = []program{
	{
		repository: "docker.io/pintle-dev/storefront",
		tags:       []string{"1.0.0", "2.0.0", "latest"},
		tagEnv:     "STOREFRONT_VERSION",
		binary:     "storefront",
		ports:      []string{"8080/tcp"},
	},
}

// recipe returns the image's recipe, and false when the program was not built.
func (p program) recipe() (Recipe, bool) {
	if _, err := os.Stat(p.binary); err != nil {
		return Recipe{}, false
	}
	return Recipe{
		Repository: p.repository,
		Tags:       p.tags,
		TagEnv:     p.tagEnv,
		Files:      []File{{Path: "/app", Mode: 0o755, Source: p.binary}},
		Entrypoint: []string{"/app"},
		Env:        []string{searchPath},
		User:       "65532:65532",
		Ports:      p.ports,
	}, true
}
