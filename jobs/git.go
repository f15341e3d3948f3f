package jobs

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// Properties that say which commit a job's code is from, as Azure ML Studio and MLflow show them.
const (
	propGitURL      = "mlflow.source.git.repoURL"
	propGitBranch   = "mlflow.source.git.branch"
	propGitCommit   = "mlflow.source.git.commit"
	propGitDirty    = "azureml.git.dirty"
	propGitBuildID  = "azureml.git.build_id"
	propGitBuildURI = "azureml.git.build_uri"
)

// Each git command gets this long: a repository on a network drive must not hold up a submission.
const gitTimeout = 10 * time.Second

// An address with a secret in it (https://TOKEN@host/… or https://host/TOKEN@…) is not sent anywhere.
var gitSecret = regexp.MustCompile(`https://(?:[^/@]+/)?([^/@]+)@`)

// gitProperties tells the repository, branch, commit and state of dir, from the AZUREML_GIT_*
// variables where set, else from git. Without git or a repository it gives what the variables say.
func gitProperties(ctx context.Context, dir string, log *slog.Logger) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	run := func(args ...string) (string, bool) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = dir
		cmd.WaitDelay = time.Second
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err == nil
	}
	env := func(name string) string { return strings.TrimSpace(os.Getenv(name)) }

	url, branch, commit := env("AZUREML_GIT_REPOSITORY_URI"), env("AZUREML_GIT_BRANCH"), env("AZUREML_GIT_COMMIT")
	dirty, haveDirty := os.LookupEnv("AZUREML_GIT_DIRTY")
	if inside, ok := run("rev-parse", "--is-inside-work-tree"); ok && inside == "true" {
		if url == "" {
			url, _ = run("ls-remote", "--get-url")
		}
		if branch == "" {
			branch, _ = run("symbolic-ref", "--short", "HEAD")
		}
		if commit == "" {
			commit, _ = run("rev-parse", "HEAD")
		}
		if dirty == "" {
			var changes string
			if changes, haveDirty = run("status", "--porcelain", "."); changes != "" {
				dirty = "true"
			}
		}
	}
	props := map[string]string{}
	if gitSecret.MatchString(url) {
		log.WarnContext(ctx, "jobs: git properties are left out because the repository's address contains a secret")
	} else {
		set(props, propGitURL, url)
		set(props, propGitBranch, branch)
		set(props, propGitCommit, commit)
		if haveDirty {
			props[propGitDirty] = "False"
			if d := strings.ToLower(strings.TrimSpace(dirty)); d == "true" || d == "1" {
				props[propGitDirty] = "True"
			}
		}
	}
	set(props, propGitBuildID, env("AZUREML_GIT_BUILD_ID"))
	set(props, propGitBuildURI, env("AZUREML_GIT_BUILD_URI"))
	return props
}

func set(m map[string]string, key, value string) {
	if value != "" {
		m[key] = value
	}
}
