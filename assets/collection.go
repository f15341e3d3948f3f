package assets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// Latest is the label of the newest version. It is the only one that services know, but for components.
const Latest = "latest"

// View chooses among archived assets.
type View string

// The views. The zero value is Active.
const (
	Active   View = "ActiveOnly"
	Archived View = "ArchivedOnly"
	AnyView  View = "All"
)

// ListOptions choose the assets of a list.
type ListOptions struct {
	// View defaults to Active.
	View View
	// Top is how many the service puts into a page. Defaults to its own choice.
	Top int
	// OrderBy is the service's word, such as "createdtime desc". Only for versions.
	OrderBy string
}

// ErrPathFixed says that a version exists with another path: content is not changed under a version.
var ErrPathFixed = errors.New("this version exists with other content, which cannot be changed; give another version or name")

// A collection is the routes that all versioned assets share. coll is the path segment and the group of api-versions.
type collection struct {
	c          *rest.Client
	coll, noun string
}

func (k collection) op(verb, name, version string) string {
	if version != "" {
		name += ":" + version
	}
	return fmt.Sprintf("%s: %s %q", k.noun, verb, name)
}

func (k collection) call(op, method, path string) *rest.Call {
	return &rest.Call{Op: op, Method: method, Path: path, Group: k.coll}
}

func (k collection) path(name, version string) string {
	return k.c.Path(k.coll, name, "versions", version)
}

// id is the resource id of a version.
func (k collection) id(name, version string) string { return k.path(name, version) }

func getVersion[T any](ctx context.Context, k collection, name, version string) (*T, error) {
	op := k.op("get", name, version)
	if err := checkID(op, name, version); err != nil {
		return nil, err
	}
	out := new(T)
	call := k.call(op, http.MethodGet, k.path(name, version))
	call.Out = out
	if err := k.c.Do(ctx, call); err != nil {
		return nil, err
	}
	return out, nil
}

// list yields the containers, or with a name its versions.
func list[T any](ctx context.Context, k collection, name string, o *ListOptions) iter.Seq2[*T, error] {
	if o == nil {
		o = &ListOptions{}
	}
	q := url.Values{"listViewType": {string(Active)}}
	if o.View != "" {
		q.Set("listViewType", string(o.View))
	}
	if o.Top > 0 {
		q.Set("$top", strconv.Itoa(o.Top))
	}
	if o.OrderBy != "" {
		q.Set("$orderBy", o.OrderBy)
	}
	call := k.call(k.noun+": list", http.MethodGet, k.c.Path(k.coll))
	if name != "" {
		call.Op, call.Path = k.op("list versions of", name, ""), k.c.Path(k.coll, name, "versions")
	}
	call.Query = q
	return rest.All(ctx, k.c, call, rest.As[T])
}

// newest reads the version that was created last.
func newest[T any](ctx context.Context, k collection, name string) (*T, error) {
	op := k.op("get", name, "") + " latest"
	call := k.call(op, http.MethodGet, k.c.Path(k.coll, name, "versions"))
	call.Query = url.Values{"$orderBy": {"createdtime desc"}, "$top": {"1"}}
	for v, err := range rest.All(ctx, k.c, call, rest.As[T]) {
		return v, err
	}
	return nil, fmt.Errorf("%s: it has no versions: %w", op, azureml.ErrNotFound)
}

// A shelf is the container of an asset's versions.
type shelf struct {
	Properties struct {
		LatestVersion string `json:"latestVersion"`
		NextVersion   string `json:"nextVersion"`
	} `json:"properties"`
}

// shelf reads a container; nil when there is none.
func (k collection) shelf(ctx context.Context, op, name string) (*shelf, error) {
	s := &shelf{}
	call := k.call(op, http.MethodGet, k.c.Path(k.coll, name))
	call.Out = s
	err := k.c.Do(ctx, call)
	if errors.Is(err, azureml.ErrNotFound) {
		return nil, nil
	}
	return s, err
}

// nextVersion is what a new version is to be called.
func (k collection) nextVersion(ctx context.Context, op, name string) (string, error) {
	s, err := k.shelf(ctx, op, name)
	if err != nil {
		return "", err
	}
	if s == nil || s.Properties.NextVersion == "" {
		return "1", nil
	}
	return s.Properties.NextVersion, nil
}

func checkLabel(op, label string) error {
	if label != Latest {
		return fmt.Errorf("%s: the label %q does not exist, there is only %q: %w", op, label, Latest, azureml.ErrNotFound)
	}
	return nil
}

// put creates or updates a version.
func put[T any](ctx context.Context, k collection, op, name, version string, body any) (*T, error) {
	out := new(T)
	call := k.call(op, http.MethodPut, k.path(name, version))
	call.Body, call.Out = body, out
	if err := k.c.Do(ctx, call); err != nil {
		if strings.Contains(err.Error(), "Asset paths cannot be updated") {
			return nil, fmt.Errorf("%w: %w", err, ErrPathFixed)
		}
		return nil, err
	}
	return out, nil
}

// autoVersions is how often a version that somebody else took is counted up.
const autoVersions = 3

// putNext creates the next version. Somebody else may take it in between; then the one after is tried.
func putNext[T any](ctx context.Context, k collection, op, name string, body any) (*T, error) {
	for try := 0; ; try++ {
		version, err := k.nextVersion(ctx, op, name)
		if err != nil {
			return nil, err
		}
		v, err := put[T](ctx, k, op, name, version, body)
		if err == nil || !errors.Is(err, azureml.ErrConflict) || try == autoVersions-1 {
			return v, err
		}
		wait := 250*time.Millisecond<<try + rand.N(time.Second)
		if err := k.c.Clock().Sleep(ctx, wait); err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
	}
}

// archive sets the state of a version, or of the whole container. All else of the document goes back as it was.
func (k collection) archive(ctx context.Context, name, version string, archived bool) error {
	verb := "restore"
	if archived {
		verb = "archive"
	}
	op := k.op(verb, name, version)
	if name == "" {
		return fmt.Errorf("%s: name: is required", op)
	}
	path := k.c.Path(k.coll, name)
	if version != "" {
		path = k.path(name, version)
	}
	var raw json.RawMessage
	get := k.call(op, http.MethodGet, path)
	get.Out = &raw
	if err := k.c.Do(ctx, get); err != nil {
		return err
	}
	v, err := wire.ParseJSON(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	doc, _ := v.(map[string]any)
	props, _ := doc["properties"].(map[string]any)
	if props == nil {
		return fmt.Errorf("%s: the service answered no properties", op)
	}
	for p, x := range props {
		if x == nil {
			delete(props, p)
		}
	}
	if version != "" {
		delete(props, "stage")
	}
	props["isArchived"] = archived
	for _, ro := range []string{"latestVersion", "nextVersion", "provisioningState"} {
		delete(props, ro)
	}
	set := k.call(op, http.MethodPut, path)
	set.Body = map[string]any{"properties": props}
	return k.c.Do(ctx, set)
}

func (k collection) delete(ctx context.Context, name, version string) error {
	op := k.op("delete", name, version)
	if err := checkID(op, name, version); err != nil {
		return err
	}
	return k.c.Do(ctx, k.call(op, http.MethodDelete, k.path(name, version)))
}

// identify reads name and version out of the id that an answer carries: on the envelope, name is the version's.
func identify(d *wire.Decoding, n *wire.Node, name, version *string) {
	if d.Spelling() != wire.REST {
		return
	}
	id, ok := n.Get("id").Str()
	if !ok {
		return
	}
	segs := strings.Split(strings.Trim(id, "/"), "/")
	if k := len(segs); k >= 4 && strings.EqualFold(segs[k-2], "versions") {
		*name = segs[k-3]
		if version != nil {
			*version = segs[k-1]
		}
	} else if k >= 2 {
		*name = segs[k-1]
	}
}
