package emulator

import (
	"errors"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// artifactTime is how long the signed address of an artifact is good.
const artifactTime = 24 * time.Hour

// artifactRoutes are the artifacts of runs, and the artifact service of the same shape whose folders are named by origin and container.
func artifactRoutes() []route {
	var rs []route
	h := "/history/v1.0" + pW
	add := func(method, path, op string, body bool, handle func(*call) error) {
		rs = append(rs, route{plane: planeAPI, method: method, pattern: path, kind: "history/artifacts", operation: op, body: body, run: true, handle: handle})
	}
	for _, f := range []string{h + "/experimentids/{experiment}/runs/{run}/artifacts", h + "/experiments/{experiment}/runs/{run}/artifacts", "/artifact/v2.0" + pW + "/artifacts/{origin}/{container}"} {
		group := "RunArtifacts"
		if strings.HasPrefix(f, "/artifact") {
			group = "Artifacts"
		}
		add(http.MethodGet, f, group+"_ListInContainer", false, listArtifacts)
		add(http.MethodGet, f+"/path", group+"_ListInPath", false, listArtifacts)
		add(http.MethodGet, f+"/contentinfo", group+"_GetContentInformation", false, contentInfo)
		add(http.MethodGet, f+"/prefix/contentinfo", group+"_ListSasByPrefix", false, contentInfos)
		add(http.MethodGet, f+"/artifacturi", group+"_GetSas", false, artifactURI)
		add(http.MethodGet, f+"/metadata", group+"_GetById", false, artifactMetadata)
		add(http.MethodGet, f+"/content", group+"_Download", false, artifactContent)
		add(http.MethodPost, f+"/batch/metadata", group+"_BatchCreateEmptyArtifacts", true, createArtifacts)
	}
	return rs
}

// artifacts is a folder of artifacts.
type artifacts struct{ origin, container string }

func (a artifacts) prefix() string { return a.origin + "/" + a.container + "/" }

// folder is the one that the path names: of a run, or of the artifact service.
func (c *call) folder() (artifacts, error) {
	if c.v["run"] != "" {
		if _, err := c.inPath(); err != nil {
			return artifacts{}, err
		}
		return artifacts{"ExperimentRun", "dcid." + c.v["run"]}, nil
	}
	a := artifacts{c.v["origin"], c.v["container"]}
	if !c.caller.full {
		run, is := strings.CutPrefix(a.container, "dcid.")
		if a.origin == "ExperimentRun" && !(is && c.s.descends(c.ctx(), c.sc, run, c.caller.run)) {
			return a, arm.Forbidden("The token of the run %q may not read %s.", c.caller.run, a.prefix())
		}
	}
	return a, nil
}

// cleanPath is an artifact's path below its folder. What leads out of the folder is refused.
func cleanPath(p string) (string, error) {
	if strings.HasPrefix(p, "/") || strings.Contains(p, "\\") {
		return "", arm.Invalid("path", "The path %q is not relative.", p)
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == ".." || part == "." {
			return "", arm.Invalid("path", "The path %q leads out of its folder.", p)
		}
	}
	if p == "" {
		return "", nil
	}
	return path.Clean(p), nil
}

func (c *call) artifact(a artifacts, p string, item *blob.Item) document {
	d := document{
		"artifactId": a.prefix() + p, "origin": a.origin, "container": a.container, "path": p, "etag": nil, "createdTime": timestamp(c.now), "tags": map[string]any{},
		"dataPath": map[string]any{"dataStoreName": arm.ArtifactStore, "relativePath": a.prefix() + p, "sqlDataPath": nil},
	}
	if item != nil {
		d["etag"], d["createdTime"] = item.ETag, timestamp(item.Created)
	}
	return d
}

func (c *call) contentInfo(a artifacts, p, permissions string) (document, error) {
	u, err := c.s.signedURL(c.sc.Account(), arm.ArtifactContainer, a.prefix()+p, permissions, artifactTime)
	if err != nil {
		return nil, err
	}
	return document{"contentUri": u, "origin": a.origin, "container": a.container, "path": p, "tags": map[string]any{}}, nil
}

// paged collects the artifacts below a path, one page of them.
func (c *call) artifactsBelow(show func(a artifacts, p string, item *blob.Item) (document, error)) error {
	a, err := c.folder()
	if err != nil {
		return err
	}
	below, err := cleanPath(strings.TrimSuffix(c.query("path"), "/"))
	if err != nil {
		return err
	}
	at, err := c.token()
	if err != nil {
		return err
	}
	prefix := a.prefix()
	if below != "" {
		prefix += below
	}
	const size = 500
	value := []any{}
	var n int64
	next := any(nil)
	for item, err := range c.s.blobs.List(c.ctx(), c.sc.Account(), arm.ArtifactContainer, prefix) {
		if err != nil {
			return err
		}
		if rest := strings.TrimPrefix(item.Name, prefix); below != "" && rest != "" && rest[0] != '/' {
			continue
		}
		if n++; n <= at {
			continue
		}
		if len(value) == size {
			next = tokenOf(n - 1)
			break
		}
		d, err := show(a, strings.TrimPrefix(item.Name, a.prefix()), item)
		if err != nil {
			return err
		}
		value = append(value, d)
	}
	out := document{"value": value, "continuationToken": next, "nextLink": nil}
	if next != nil {
		out["nextLink"] = c.next(next.(string))
	}
	return c.reply(http.StatusOK, out)
}

func listArtifacts(c *call) error {
	return c.artifactsBelow(func(a artifacts, p string, item *blob.Item) (document, error) { return c.artifact(a, p, item), nil })
}

func contentInfos(c *call) error {
	return c.artifactsBelow(func(a artifacts, p string, _ *blob.Item) (document, error) { return c.contentInfo(a, p, "r") })
}

// existing is the artifact that the parameter path names.
func (c *call) existing() (artifacts, string, *blob.Item, error) {
	a, err := c.folder()
	if err != nil {
		return a, "", nil, err
	}
	p, err := cleanPath(c.query("path"))
	if err != nil {
		return a, "", nil, err
	}
	if p == "" {
		return a, "", nil, arm.Invalid("path", "The parameter path is required.")
	}
	item, err := c.s.blobs.Stat(c.ctx(), c.sc.Account(), arm.ArtifactContainer, a.prefix()+p)
	if errors.Is(err, store.ErrNotFound) {
		err = arm.NotFound("artifact", a.prefix()+p)
	}
	return a, p, item, err
}

func contentInfo(c *call) error {
	a, p, _, err := c.existing()
	if err != nil {
		return err
	}
	d, err := c.contentInfo(a, p, "r")
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, d)
}

func artifactURI(c *call) error {
	a, p, _, err := c.existing()
	if err != nil {
		return err
	}
	d, err := c.contentInfo(a, p, "r")
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, d["contentUri"])
}

func artifactMetadata(c *call) error {
	a, p, item, err := c.existing()
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, c.artifact(a, p, item))
}

func artifactContent(c *call) error {
	a, p, item, err := c.existing()
	if err != nil {
		return err
	}
	r, err := c.s.blobs.Open(c.ctx(), c.sc.Account(), arm.ArtifactContainer, a.prefix()+p)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // opened for reading
	c.w.Header().Set("Content-Type", "application/octet-stream")
	c.w.Header().Set("Content-Disposition", "attachment")
	http.ServeContent(c.w, c.r, "", item.Modified, r)
	return nil
}

// createArtifacts gives addresses to write new artifacts to.
func createArtifacts(c *call) error {
	var want struct{ Paths []struct{ Path string } }
	if err := c.into(&want); err != nil {
		return err
	}
	a, err := c.folder()
	if err != nil {
		return err
	}
	if err := c.s.blobs.EnsureContainer(c.ctx(), c.sc.Account(), arm.ArtifactContainer); err != nil {
		return err
	}
	made, infos, faults := map[string]any{}, map[string]any{}, map[string]any{}
	for _, x := range want.Paths {
		p, err := cleanPath(x.Path)
		if err == nil && p == "" {
			err = arm.Invalid("path", "A path is empty.")
		}
		if err != nil {
			faults[x.Path] = arm.As(err).Body()
			continue
		}
		info, err := c.contentInfo(a, p, "racw")
		if err != nil {
			return err
		}
		made[x.Path], infos[x.Path] = c.artifact(a, p, nil), info
	}
	return c.reply(http.StatusOK, document{"artifacts": made, "artifactContentInformation": infos, "errors": faults})
}
