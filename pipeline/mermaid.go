package pipeline

import (
	"fmt"
	"strings"
)

// Mermaid is the drawing as a flowchart of Mermaid, which GitHub, GitLab and most notebooks show.
func (d *Drawing) Mermaid() string {
	var b strings.Builder
	if d.title != "" {
		fmt.Fprintf(&b, "---\ntitle: %q\n---\n", short(strings.NewReplacer("\\", "", "\"", "'", "<", "", ">", "", "&", "+").Replace(clean(d.title)), 120))
	}
	dir := "TD"
	if d.sideway {
		dir = "LR"
	}
	fmt.Fprintf(&b, "flowchart %s\n", dir)
	m := &mermaid{b: &b, used: map[*paint]bool{}}
	m.graph(d.g, "n", "  ", dir)
	for _, p := range paints {
		if !m.used[p] {
			continue
		}
		dash := ""
		if p.dashed {
			dash = ",stroke-dasharray:4 3"
		}
		fmt.Fprintf(&b, "  classDef %s fill:%s,stroke:%s,color:%s%s\n", p.class, p.fill, p.line, inkLight, dash)
	}
	return b.String()
}

type mermaid struct {
	b    *strings.Builder
	used map[*paint]bool
}

// mermaidText is a text between quotes: all that means something to Mermaid or to HTML is written by its number.
func mermaidText(s string, n int) string {
	var b strings.Builder
	for _, r := range short(clean(s), n) {
		switch {
		case strings.ContainsRune("\"#&<>`\\{}[]()|;%$", r):
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// graph writes boxes and arrows. Ids begin with a prefix of their own: names could be words of Mermaid.
func (m *mermaid) graph(g *graph, prefix, indent, dir string) {
	for i, v := range g.vs {
		id := fmt.Sprintf("%s%d", prefix, i)
		text := mermaidText(v.title, 40)
		if line := v.line(); line != "" {
			text += "<br/><small>" + mermaidText(line, 48) + "</small>"
		}
		if v.inner != nil {
			fmt.Fprintf(m.b, "%ssubgraph %s[\"%s\"]\n%s  direction %s\n", indent, id, text, indent, dir)
			m.graph(v.inner, id+"_", indent+"  ", dir)
			fmt.Fprintf(m.b, "%send\n", indent)
			if p := paintOf(v); p != &plain {
				m.used[p] = true
				fmt.Fprintf(m.b, "%sclass %s %s\n", indent, id, p.class)
			}
			continue
		}
		open, shut := "[", "]"
		switch v.role {
		case input_, output_:
			open, shut = "([", "])"
		case branch_:
			open, shut = "{{", "}}"
		case loop_:
			open, shut = "[[", "]]"
		}
		p := paintOf(v)
		m.used[p] = true
		fmt.Fprintf(m.b, "%s%s%s\"%s\"%s:::%s\n", indent, id, open, text, shut, p.class)
	}
	for _, e := range g.es {
		from, to := fmt.Sprintf("%s%d", prefix, e.from), fmt.Sprintf("%s%d", prefix, e.to)
		if inner := g.vs[e.from].inner; inner != nil && e.fromPort != "" {
			if i := inner.find(output_, e.fromPort); i >= 0 {
				from = fmt.Sprintf("%s_%d", from, i)
			}
		}
		if inner := g.vs[e.to].inner; inner != nil && e.toPort != "" {
			if i := inner.find(input_, e.toPort); i >= 0 {
				to = fmt.Sprintf("%s_%d", to, i)
			}
		}
		line := "-->"
		if e.dashed {
			line = "-.->"
		}
		if text := e.text(g); text != "" {
			line += "|\"" + mermaidText(text, 40) + "\"|"
		}
		fmt.Fprintf(m.b, "%s%s %s %s\n", indent, from, line, to)
	}
}

// text is what stands beside an arrow: the word of control flow, or the output of a step that it passes.
func (e *edge) text(g *graph) string {
	if e.label != "" {
		return e.label
	}
	if g.vs[e.from].role == input_ || g.vs[e.to].role == output_ {
		return ""
	}
	var names []string
	for _, p := range e.ports {
		name, _, _ := strings.Cut(p, " → ")
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}
