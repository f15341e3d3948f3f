package assets

import (
	"fmt"
	"os"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// Conda is an environment's conda specification: a file, a text, or the tree of one. At most one field is set; the zero
// value is none. The service gets it as text, as PyYAML writes it.
type Conda struct {
	// Path is a YAML file here. It is read when the environment is created.
	Path string
	// Text is YAML.
	Text string
	// Tree is what YAML holds: maps, lists, strings, numbers.
	Tree map[string]any

	read bool // Text is the service's own
}

// CondaFile is the specification in a file.
func CondaFile(path string) Conda { return Conda{Path: path} }

// IsZero tells whether there is none.
func (c Conda) IsZero() bool { return c.Path == "" && c.Text == "" && c.Tree == nil }

// resolve makes the text that goes to the service: the reference loads the file and dumps it again.
func (c Conda) resolve() (Conda, error) {
	if c.IsZero() || c.read {
		return c, nil
	}
	tree, err := c.tree()
	if err != nil {
		return Conda{}, err
	}
	text, err := wire.EmitYAML(tree)
	if err != nil {
		return Conda{}, err
	}
	return Conda{Text: string(text), read: true}, nil
}

func (c Conda) tree() (any, error) {
	if c.Tree != nil {
		return c.Tree, nil
	}
	text := []byte(c.Text)
	if c.Path != "" {
		var err error
		if text, err = os.ReadFile(c.Path); err != nil {
			return nil, err
		}
	}
	n, err := wire.ParseYAML(text, c.Path, "")
	if err != nil {
		return nil, err
	}
	if n.Kind != wire.Mapping {
		return nil, fmt.Errorf("the conda specification is no mapping")
	}
	return n.Tree(), nil
}

// EncodeWire writes the text for the service, and the tree in YAML.
func (c Conda) EncodeWire(e *wire.Encoding) (any, error) {
	switch {
	case c.IsZero():
		return wire.Omit, nil
	case e.Spelling() == wire.YAML && c.Path != "":
		return c.Path, nil
	case e.Spelling() == wire.YAML || e.Spelling() == wire.Spec:
		return c.tree()
	}
	r, err := c.resolve()
	return r.Text, err
}

// DecodeWire reads a mapping, a path to a file, or text.
func (c *Conda) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*c = Conda{}
	s, isText := n.Str()
	switch {
	case n.IsNull():
	case d.Spelling() == wire.REST:
		if isText {
			*c = Conda{Text: s, read: true}
		}
	case n.Kind == wire.Mapping:
		c.Tree, _ = n.Tree().(map[string]any)
	case !isText:
		d.Fault(n, "wants a mapping, the path of a YAML file, or YAML as text")
	case strings.Contains(strings.TrimSpace(s), "\n"):
		c.Text = s
	case d.Strict():
		if f := d.Open(n, s); f != nil {
			if f.Kind != wire.Mapping {
				d.Fault(n, "the conda specification %s is no mapping", s)
				return
			}
			c.Tree, _ = f.Tree().(map[string]any)
		}
	default:
		c.Path = s
	}
}
