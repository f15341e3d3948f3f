package execution

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// fingerprint is what a step's result depends on: its parts by name, each a
// hash, and one hash of all.
type fingerprint struct {
	parts map[string]string
	sum   string
	never string // why the step always runs; "" when it need not
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:12])
}

// irrelevant are fields of a job that do not change what it puts out.
var irrelevant = map[string]bool{
	"jobType": true, "displayName": true, "experimentName": true, "computeId": true, "description": true, "tags": true, "properties": true, "identity": true, "services": true,
	"inputs": true, "outputs": true,
}

// planned stands in a plan before the hash of code that is not uploaded.
const planned = "planned:"

// contents hashes what references lead to, each once.
type contents struct {
	e     *Engine
	sc    arm.Scope
	known map[string]string // by address
	// unknown takes references to what is not there for something new, as plans meet it.
	unknown bool
}

// print takes the fingerprint of a step's job.
func (c *contents) print(ctx context.Context, s *step, props json.RawMessage) (*fingerprint, error) {
	var p map[string]any
	if err := json.Unmarshal(props, &p); err != nil {
		return nil, err
	}
	f := &fingerprint{parts: map[string]string{}}
	if s.component != nil && s.component.Deterministic != nil && !*s.component.Deterministic {
		f.never = "its component is not deterministic"
	}
	kind := fmt.Sprint(p["jobType"])
	f.parts["type"] = kind
	for k, v := range p {
		if irrelevant[k] || v == nil || k == "limits" && kind == "Command" {
			continue
		}
		text, err := c.normal(ctx, v)
		if err != nil {
			return nil, err
		}
		f.parts[k] = hashOf(text)
	}
	ins, _ := p["inputs"].(map[string]any) // absent is empty
	for k, v := range ins {
		in, ok := v.(map[string]any)
		if !ok {
			continue
		}
		h, err := c.input(ctx, in)
		if errors.Is(err, errElsewhere) {
			f.never, err = fmt.Sprintf("its input %s is fetched from a web address", k), nil
		}
		if err != nil {
			return nil, err
		}
		if h != "" {
			f.parts["inputs."+k] = h
		}
	}
	outs, _ := p["outputs"].(map[string]any)
	for k, v := range outs {
		if o, ok := v.(map[string]any); ok {
			uri := ""
			if bound := s.Outputs[k]; bound != nil {
				uri = bound.URI
			}
			if place, _ := o["place"].(string); place != "" && place != ownPlace {
				uri = place
			}
			f.parts["outputs."+k] = hashOf(fmt.Sprint(o["jobOutputType"], "\n", o["mode"], "\n", uri))
		}
	}
	names := sorted(f.parts)
	var b strings.Builder
	for _, k := range names {
		b.WriteString(k + "=" + f.parts[k] + "\n")
	}
	f.sum = hashOf(b.String())
	return f, nil
}

// errElsewhere says that the content of an address is not known before it is fetched.
var errElsewhere = errors.New("not in the workspace's storage")

func (c *contents) input(ctx context.Context, in map[string]any) (string, error) {
	if in["jobInputType"] == "literal" {
		if in["value"] == nil {
			return "", nil
		}
		return hashOf("literal\n" + fmt.Sprint(in["value"])), nil
	}
	uri, ok := in["uri"].(string)
	if !ok {
		return "", nil
	}
	typ, _ := in["jobInputType"].(string)
	h, err := c.of(ctx, uri, collectionOf(typ))
	if err != nil {
		return "", err
	}
	if typ == "mltable" {
		far, err := c.far(ctx, uri)
		if err != nil {
			return "", err
		}
		h += far
	}
	return hashOf(typ + "\n" + fmt.Sprint(in["mode"]) + "\n" + h), nil
}

// normal is a value as text, with the content of codes and environments in the
// place of their ids.
func (c *contents) normal(ctx context.Context, v any) (string, error) {
	v, err := c.replace(ctx, v)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(v) // keys are sorted
	return string(b), err
}

func (c *contents) replace(ctx context.Context, v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			x, err := c.replace(ctx, x)
			if err != nil {
				return nil, err
			}
			out[k] = x
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			x, err := c.replace(ctx, x)
			if err != nil {
				return nil, err
			}
			out[i] = x
		}
		return out, nil
	case string:
		id := strings.TrimPrefix(v, "azureml:")
		switch {
		case strings.HasPrefix(id, planned):
			return "code " + strings.TrimPrefix(id, planned), nil
		case strings.HasPrefix(id, "/subscriptions/") && strings.Contains(id, "/"+arm.Codes+"/"):
			return c.of(ctx, id, arm.Codes)
		case strings.HasPrefix(id, "/subscriptions/") && strings.Contains(id, "/"+arm.Environments+"/"):
			return c.of(ctx, id, arm.Environments)
		}
	}
	return v, nil
}

// of hashes what a reference leads to: an environment's definition, the hash
// that a code's client took, or the files themselves.
func (c *contents) of(ctx context.Context, uri, collection string) (string, error) {
	if h, ok := c.known[uri]; ok {
		return h, nil
	}
	loc, err := c.e.resolve(ctx, c.sc, uri, collection)
	if err != nil && c.unknown {
		return "unknown " + uri, nil
	}
	if err != nil {
		return "", err
	}
	h := ""
	switch {
	case collection == arm.Environments:
		var p struct {
			Image     string
			CondaFile string
			Build     *struct{ ContextURI, DockerfilePath string }
		}
		if err := json.Unmarshal(loc.Properties, &p); err != nil {
			return "", err
		}
		b, err := json.Marshal(p)
		if err != nil {
			return "", err
		}
		h = "environment " + hashOf(string(b))
	case collection == arm.Codes && codeHash(loc.Properties) != "":
		h = "code " + codeHash(loc.Properties)
	case loc.URL != "":
		return "", errElsewhere
	default:
		if h, err = c.e.contentHash(ctx, loc); err != nil {
			return "", err
		}
	}
	c.known[uri] = h
	return h, nil
}

// codeHash is the SHA-256 that the client took of a code's files.
func codeHash(properties json.RawMessage) string {
	var p struct {
		Properties struct {
			Hash string `json:"hash_sha256"`
		} `json:"properties"`
	}
	if json.Unmarshal(properties, &p) != nil {
		return ""
	}
	return p.Properties.Hash
}

// contentHash hashes names and contents of the files at a location. It reads
// none: blobs know their MD5, and those that do not have an ETag of their own
// for each change.
func (e *Engine) contentHash(ctx context.Context, loc *arm.Location) (string, error) {
	line := func(name string, md5 []byte, etag string, size int64) string {
		if len(md5) > 0 {
			etag = hex.EncodeToString(md5)
		}
		return fmt.Sprintf("%s\n%s %d\n", name, etag, size)
	}
	if loc.Path != "" && !strings.HasSuffix(loc.Path, "/") {
		it, err := e.Blobs.Stat(ctx, loc.Account, loc.Container, loc.Path)
		if err == nil {
			return hashOf(line(fileName(it.Name), it.MD5, it.ETag, it.Size)), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
	}
	prefix := strings.TrimSuffix(loc.Path, "/")
	if prefix != "" {
		prefix += "/"
	}
	var lines []string
	for it, err := range e.Blobs.List(ctx, loc.Account, loc.Container, prefix) {
		if err != nil {
			return "", err
		}
		lines = append(lines, line(strings.TrimPrefix(it.Name, prefix), it.MD5, it.ETag, it.Size))
	}
	sort.Strings(lines)
	return hashOf(strings.Join(lines, "")), nil
}
