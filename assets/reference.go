package assets

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

var (
	registryAsset = regexp.MustCompile(`^azureml://registries/[^/]+/[^/]+/[^/]+/(?:versions|labels)/.+$`)
	workspaceIDs  = regexp.MustCompile(`(?i)^/?subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.MachineLearningServices/(?:workspaces|registries)/[^/]+/([^/]+)/([^/]+)(?:/(versions|labels)/([^/]+))?$`)
)

// curatedPrefix begins the names of environments that the service itself expands.
const curatedPrefix = "AzureML-"

// referenceText takes the text that stands for an asset. In a file it begins with azureml:, else it is no reference there.
func referenceText(d *wire.Decoding, n *wire.Node, s, what string) (any, bool) {
	if d.Spelling() == wire.YAML && d.Strict() && !strings.HasPrefix(s, "azureml:") && !strings.Contains(s, "${{") {
		hint := "azureml:NAME:VERSION or azureml:NAME@latest"
		if s != "" && !strings.ContainsAny(s, `/\ `) {
			hint = "azureml:" + s
		}
		d.Fault(n, "%q is no reference to %s; write %s, or define it here", s, what, hint)
		return nil, false
	}
	return azureml.Ref(s), true
}

// resolve turns a reference to a versioned asset into the id that documents carry. newest gives the version that the label
// latest stands for.
func (k collection) resolve(ctx context.Context, ref azureml.Ref, newest func(context.Context, string) (string, error)) (string, error) {
	op := fmt.Sprintf("%s: resolve %q", k.noun, string(ref))
	s := string(ref)
	if registryAsset.MatchString(s) || strings.HasPrefix(s, "azureml://locations/") {
		return s, nil
	}
	short := strings.TrimPrefix(s, "azureml:")
	if m := workspaceIDs.FindStringSubmatch(short); m != nil {
		if !strings.EqualFold(m[1], k.coll) {
			return "", fmt.Errorf("%s: it is one of %s, not of %s", op, m[1], k.coll)
		}
		if m[3] == "" {
			return "", fmt.Errorf("%s: a version is needed: …/versions/VERSION", op)
		}
		return "/" + strings.TrimPrefix(short, "/"), nil
	}
	if strings.Contains(short, "://") || strings.HasPrefix(short, "/") {
		return "", fmt.Errorf("%s: this is no reference to one of %s; write azureml:NAME:VERSION, azureml:NAME@latest, or an id", op, k.coll)
	}
	if k.coll == "environments" && strings.HasPrefix(short, curatedPrefix) {
		return "azureml:" + short, nil
	}
	name, version, versioned := strings.Cut(short, ":")
	if !versioned {
		var label string
		if name, label, versioned = strings.Cut(short, "@"); versioned {
			if err := checkLabel(op, label); err != nil {
				return "", err
			}
			var err error
			if version, err = newest(ctx, name); err != nil {
				return "", err
			}
		}
	}
	if name == "" || version == "" {
		return "", fmt.Errorf("%s: a version is needed: azureml:%s:VERSION, or azureml:%s@latest", op, name, name)
	}
	if err := checkID(op, name, version); err != nil {
		return "", err
	}
	return k.id(name, version), nil
}
