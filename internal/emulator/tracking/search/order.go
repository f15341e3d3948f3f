package search

import (
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// orderText takes an order_by item apart: the key as it stands, and the direction.
func orderText(item string) (key string, ascending bool, err error) {
	statements, perr := parse(item)
	if perr != nil {
		return "", false, faultf("Error on parsing order_by clause '%s'", item)
	}
	bad := faultf("Invalid order_by clause '%s'. Could not be parsed.", item)
	if len(statements) != 1 {
		return "", false, bad
	}
	nodes := statements[0].nodes
	first, last := nodes[0], nodes[len(nodes)-1]
	switch {
	case len(nodes) == 1 && first.class == identifier:
		key = first.value
	case first.is(kindBuiltin, "timestamp") && len(nodes) == 1:
		key = first.value
	case first.is(kindBuiltin, "timestamp") && last.kind == kindOrder && onlyBlank(nodes[1:len(nodes)-1]):
		key = first.value + " " + last.value
	default:
		return "", false, bad
	}
	words, ok := shellWords(strings.ReplaceAll(key, "`", `"`))
	if !ok || len(words) > 2 {
		return "", false, bad
	}
	if len(words) < 2 {
		return key, true, nil
	}
	switch strings.ToLower(words[1]) {
	case "asc":
		return words[0], true, nil
	case "desc":
		return words[0], false, nil
	}
	return "", false, faultf("Invalid ordering key in order_by clause '%s'.", item)
}

func onlyBlank(nodes []*node) bool {
	for _, n := range nodes {
		if !n.blank() {
			return false
		}
	}
	return true
}

// order reads one item with a grammar.
func (g *grammar) order(item string) (Order, error) {
	key, ascending, err := orderText(item)
	if err != nil {
		return Order{}, err
	}
	identify := g.identifier
	if identify == nil {
		identify = dotted
	}
	e, name, err := identify(g, strings.TrimFunc(key, py.IsSpace), g.orders)
	return Order{Entity: e, Key: name, Ascending: ascending}, err
}

// each reads all items; a key that comes twice is a fault.
func (g *grammar) each(items []string, alias func(string) string) ([]Order, error) {
	var out []Order
	seen := map[Order]bool{}
	for _, item := range items {
		o, err := g.order(item)
		if err != nil {
			return nil, err
		}
		if alias != nil {
			o.Key = alias(o.Key)
		}
		if id := (Order{Entity: o.Entity, Key: o.Key}); seen[id] {
			return nil, faultf("`order_by` contains duplicate fields: %s", py.List(items...))
		} else {
			seen[id] = true
		}
		out = append(out, o)
	}
	return out, nil
}

// shellWords splits as shlex.split does. It reports false for an open quote.
func shellWords(s string) ([]string, bool) {
	var words []string
	var b strings.Builder
	open := false // a word has begun
	var quote rune
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			if quote == '"' && r != '"' && r != '\\' {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, open = true, true
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				b.WriteRune(r)
			}
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ' || r == '\t' || r == '\r' || r == '\n':
			if open {
				words = append(words, b.String())
				b.Reset()
				open = false
			}
		default:
			b.WriteRune(r)
			open = true
		}
	}
	if quote != 0 || escaped {
		return nil, false
	}
	if open {
		words = append(words, b.String())
	}
	return words, true
}
