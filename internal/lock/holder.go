package lock

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/user"
	"strings"
)

// Holder is who runs an operation: enough for a person to find them, and for
// another run on the same machine to see whether the process is alive.
type Holder struct {
	User string `json:"user,omitempty"`
	Host string `json:"host,omitempty"`
	// PID is the process, as numbered in the PID namespace Space.
	PID int `json:"pid,omitempty"`
	// Boot and Space say where PID has a meaning; Started is the process' start
	// in clock ticks since that boot. They are empty where the system does not tell.
	Boot    string `json:"boot,omitempty"`
	Space   string `json:"space,omitempty"`
	Started string `json:"started,omitempty"`
	// Job and Link are those of the CI system, if one runs us.
	Job  string `json:"job,omitempty"`
	Link string `json:"link,omitempty"`
	// Token tells two locks of one process apart.
	Token string `json:"token,omitempty"`
}

// Self is this process. Lookup reads an environment variable, as os.LookupEnv does.
func Self(lookup func(name string) (string, bool)) Holder {
	text := func(name string) string { value, _ := lookup(name); return value }
	h := Holder{User: text("USER"), PID: os.Getpid(), Boot: bootID(), Space: pidSpace(), Token: rand.Text()[:10]}
	if u, err := user.Current(); err == nil {
		h.User = u.Username
	}
	h.Host, _ = os.Hostname() // a machine without a name shows as none
	h.Started, _ = startOf(h.PID)
	h.Job, h.Link = pipeline(text)
	return h
}

// Known tells a holder from nobody.
func (h Holder) Known() bool { return h != Holder{} }

// Identity is unique to one lock of one process; it is what holderIdentity holds.
func (h Holder) Identity() string {
	return fmt.Sprintf("%s/%d/%s", h.who(), h.PID, h.Token)
}

func (h Holder) who() string {
	switch {
	case h.User == "":
		return h.Host
	case h.Host == "":
		return h.User
	}
	return h.User + "@" + h.Host
}

// String is for people: "anna@ci-7, process 4711, GitHub Actions deploy/prod (https://...)".
func (h Holder) String() string {
	if !h.Known() {
		return "nobody"
	}
	parts := []string{h.who()}
	if parts[0] == "" {
		parts[0] = "somebody"
	}
	if h.PID != 0 {
		parts = append(parts, fmt.Sprintf("process %d", h.PID))
	}
	if h.Job != "" {
		parts = append(parts, h.Job)
	}
	text := strings.Join(parts, ", ")
	if h.Link != "" {
		text += " (" + h.Link + ")"
	}
	return text
}

// system is one CI system: the variable that gives it away, and how it names a
// job and its page; both may hold variables as os.Expand reads them.
type system struct{ mark, name, job, link string }

var systems = []system{
	{"GITHUB_ACTIONS", "GitHub Actions", "${GITHUB_WORKFLOW}/${GITHUB_JOB}", "${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}"},
	{"GITLAB_CI", "GitLab CI", "${CI_PROJECT_PATH}/${CI_JOB_NAME}", "${CI_JOB_URL}"},
	{"JENKINS_URL", "Jenkins", "${JOB_NAME} #${BUILD_NUMBER}", "${BUILD_URL}"},
	{"CIRCLECI", "CircleCI", "${CIRCLE_PROJECT_REPONAME}/${CIRCLE_JOB}", "${CIRCLE_BUILD_URL}"},
	{"BUILDKITE", "Buildkite", "${BUILDKITE_PIPELINE_SLUG} #${BUILDKITE_BUILD_NUMBER}", "${BUILDKITE_BUILD_URL}"},
	{"TF_BUILD", "Azure Pipelines", "${BUILD_DEFINITIONNAME} #${BUILD_BUILDNUMBER}", "${SYSTEM_COLLECTIONURI}${SYSTEM_TEAMPROJECT}/_build/results?buildId=${BUILD_BUILDID}"},
	{"BITBUCKET_BUILD_NUMBER", "Bitbucket Pipelines", "${BITBUCKET_REPO_SLUG} #${BITBUCKET_BUILD_NUMBER}", "${BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/${BITBUCKET_BUILD_NUMBER}"},
	{"DRONE", "Drone", "${DRONE_REPO} #${DRONE_BUILD_NUMBER}", "${DRONE_BUILD_LINK}"},
	{"TEAMCITY_VERSION", "TeamCity", "${TEAMCITY_PROJECT_NAME} #${BUILD_NUMBER}", "${BUILD_URL}"},
}

// pipeline names the CI job that runs us and its page, as far as the
// environment tells; both are empty outside of the systems that we know.
func pipeline(text func(string) string) (job, link string) {
	for _, s := range systems {
		if text(s.mark) == "" {
			continue
		}
		job = s.name + " " + os.Expand(s.job, text)
		if link = os.Expand(s.link, text); !strings.Contains(link, "://") || strings.HasPrefix(link, "/") {
			link = ""
		}
		return strings.TrimRight(job, " /#"), link
	}
	return "", ""
}
