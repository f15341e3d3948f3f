package pipeline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// SVG is the drawing as a picture that needs nothing else: laid out in layers, without scripts or fonts of its own, for light
// and dark backgrounds. What a box or an arrow is in full shows when it is pointed at.
func (d *Drawing) SVG() []byte {
	s := &svg{sideway: d.sideway}
	body := s.measure(d.g)
	const margin = 20.0
	top := margin
	if d.title != "" {
		top += 30
	}
	width := max(body.w, textWidth(d.title, 16), 120)
	bottom := top + body.h
	tally := map[*paint]int{}
	if d.states {
		d.g.tally(tally)
	}
	if len(tally) > 0 {
		bottom += 34
		width = max(width, float64(len(tally))*120)
	}
	width += 2 * margin
	height := bottom + margin
	title := d.title
	if title == "" {
		title = "Pipeline"
	}
	fmt.Fprintf(&s.b, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"aml\" width=\"%s\" height=\"%s\" viewBox=\"0 0 %s %s\" role=\"img\" font-family=\"Segoe UI,Helvetica,Arial,sans-serif\">\n",
		num(width), num(height), num(width), num(height))
	fmt.Fprintf(&s.b, "<title>%s</title>\n", escape(title))
	s.style()
	if d.title != "" {
		fmt.Fprintf(&s.b, "<text class=\"free\" x=\"%s\" y=\"%s\" font-size=\"16\" font-weight=\"600\">%s</text>\n", num(margin), num(margin+12), escape(short(d.title, 90)))
	}
	s.draw(body, (width-body.w)/2, top)
	x := margin
	for _, p := range paints {
		if n := tally[p]; n > 0 {
			y := height - margin - 8
			fmt.Fprintf(&s.b, "<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"14\" height=\"14\" rx=\"3\"/><text class=\"free\" x=\"%s\" y=\"%s\" font-size=\"12\">%d %s</text>\n",
				p.class, num(x), num(y-11), num(x+20), num(y), n, p.word)
			x += 120
		}
	}
	s.b.WriteString("</svg>\n")
	return []byte(s.b.String())
}

type svg struct {
	b       strings.Builder
	sideway bool
}

// body is a graph with the places of its boxes.
type body struct {
	*graph
	*layout
	sizes  []size
	inner  []*body
	w, h   float64
	labels bool
}

const (
	boxHeight  = 44.0
	portHeight = 26.0
	headHeight = 46.0
	padding    = 16.0
)

// measure lays a graph out, those within first.
func (s *svg) measure(g *graph) *body {
	b := &body{graph: g, sizes: make([]size, len(g.vs)), inner: make([]*body, len(g.vs)), labels: len(g.es) <= 120}
	for i, v := range g.vs {
		w, h := max(textWidth(short(v.title, 34), 13), textWidth(short(v.line(), 46), 11))+24, boxHeight
		switch {
		case v.role == input_ || v.role == output_:
			w, h = textWidth(short(v.title, 34), 12)+26, portHeight
		case v.role == branch_:
			w += 24
		case v.inner != nil:
			b.inner[i] = s.measure(v.inner)
			w, h = max(w, b.inner[i].w+2*padding), b.inner[i].h+headHeight+padding
		}
		b.sizes[i] = size{max(w, 60), h}
	}
	boxes := slices.Clone(b.sizes)
	if s.sideway {
		for i, z := range boxes {
			boxes[i] = size{z.h, z.w}
		}
	}
	arrows := make([]arrow, len(g.es))
	for i, e := range g.es {
		arrows[i] = arrow{e.from, e.to}
	}
	b.layout = newLayout(boxes, arrows)
	if s.sideway {
		for i := range b.cells {
			c := &b.cells[i]
			c.x, c.y, c.w, c.h = c.y, c.x, c.h, c.w
		}
	}
	for _, c := range b.cells {
		b.w, b.h = max(b.w, c.x+c.w/2), max(b.h, c.y+c.h/2)
	}
	return b
}

// style says the colours, once for light and once for dark.
func (s *svg) style() {
	rule := func(p *paint, fill, line string) string {
		dash := ""
		if p.dashed {
			dash = ";stroke-dasharray:5 3"
		}
		return fmt.Sprintf(".aml .%s{fill:%s;stroke:%s;stroke-width:1.4%s}\n", p.class, fill, line, dash)
	}
	fmt.Fprintf(&s.b, "<style>\n.aml .ink{fill:%s}\n.aml .soft{fill:%s}\n.aml .free,.aml .head{fill:%s}\n.aml .edge{fill:none;stroke:%s;stroke-width:1.3}\n.aml .dash{stroke-dasharray:5 4}\n", inkLight, softLight, lineLight, lineLight)
	for _, p := range paints {
		s.b.WriteString(rule(p, p.fill, p.line))
	}
	fmt.Fprintf(&s.b, "@media (prefers-color-scheme:dark){\n.aml .ink{fill:%s}\n.aml .soft{fill:%s}\n.aml .free{fill:%s}\n.aml .edge{stroke:%s}\n.aml .head{fill:%s}\n", inkDark, softDark, softDark, lineDark, lineDark)
	for _, p := range paints {
		s.b.WriteString(rule(p, p.darkFill, p.darkLine))
	}
	s.b.WriteString("}\n</style>\n")
	s.b.WriteString("<defs><marker id=\"aml-head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path class=\"head\" d=\"M0 0.8L8 4L0 7.2z\"/></marker></defs>\n")
}

// draw writes a graph with its corner at a point: arrows below boxes.
func (s *svg) draw(b *body, x, y float64) {
	fmt.Fprintf(&s.b, "<g transform=\"translate(%s %s)\">\n", num(x), num(y))
	starts, ends := b.docks(s.sideway)
	for i, e := range b.es {
		s.edge(b, e, i, starts[i], ends[i])
	}
	for i, v := range b.vs {
		s.box(b, i, v)
	}
	s.b.WriteString("</g>\n")
}

// docks are where on its boxes each edge begins and ends: side by side in the order of where they go.
func (b *body) docks(sideway bool) (starts, ends []float64) {
	starts, ends = make([]float64, len(b.es)), make([]float64, len(b.es))
	along := func(v int) float64 {
		if sideway {
			return b.cells[v].y
		}
		return b.cells[v].x
	}
	type dock struct {
		at *float64
		to float64
	}
	lower, upper := make([][]dock, len(b.vs)), make([][]dock, len(b.vs))
	for i := range b.es {
		p := b.paths[i]
		if len(p) < 2 {
			continue
		}
		lower[p[0]] = append(lower[p[0]], dock{&starts[i], along(p[1])})
		upper[p[len(p)-1]] = append(upper[p[len(p)-1]], dock{&ends[i], along(p[len(p)-2])})
	}
	for v := range b.vs {
		room := b.cells[v].w
		if sideway {
			room = b.cells[v].h
		}
		for _, list := range [][]dock{lower[v], upper[v]} {
			slices.SortStableFunc(list, func(x, y dock) int { return cmp.Compare(x.to, y.to) })
			step := min(18, room*0.7/float64(max(1, len(list))))
			for k, d := range list {
				*d.at = along(v) + (float64(k)-float64(len(list)-1)/2)*step
			}
		}
	}
	return starts, ends
}

type point struct{ x, y float64 }

// edge writes an arrow through its waypoints.
func (s *svg) edge(b *body, e *edge, i int, start, end float64) {
	path := b.paths[i]
	if len(path) < 2 {
		return
	}
	var pts []point
	add := func(along, across float64) {
		if s.sideway {
			along, across = across, along
		}
		pts = append(pts, point{along, across})
	}
	for k, v := range path {
		c := b.cells[v]
		along, across, half := c.x, c.y, c.h/2
		if s.sideway {
			along, across, half = c.y, c.x, c.w/2
		}
		switch k {
		case 0:
			add(start, across+half)
		case len(path) - 1:
			add(end, across-half-1)
		default: // straight past the boxes of the layer
			add(along, across-half)
			add(along, across+half)
		}
	}
	if b.turned[i] {
		slices.Reverse(pts)
	}
	var d strings.Builder
	fmt.Fprintf(&d, "M%s %s", num(pts[0].x), num(pts[0].y))
	for k := 1; k < len(pts); k++ {
		p, q := pts[k-1], pts[k]
		if s.sideway && p.y == q.y || !s.sideway && p.x == q.x {
			fmt.Fprintf(&d, "L%s %s", num(q.x), num(q.y))
			continue
		}
		if s.sideway {
			bend := (q.x - p.x) / 2
			fmt.Fprintf(&d, "C%s %s %s %s %s %s", num(p.x+bend), num(p.y), num(q.x-bend), num(q.y), num(q.x), num(q.y))
		} else {
			bend := (q.y - p.y) / 2
			fmt.Fprintf(&d, "C%s %s %s %s %s %s", num(p.x), num(p.y+bend), num(q.x), num(q.y-bend), num(q.x), num(q.y))
		}
	}
	class := "edge"
	if e.dashed {
		class += " dash"
	}
	tip := fmt.Sprintf("%s → %s", b.vs[e.from].title, b.vs[e.to].title)
	if e.label != "" {
		tip += "\n" + e.label
	}
	if len(e.ports) > 0 {
		tip += "\n" + strings.Join(e.ports, "\n")
	}
	fmt.Fprintf(&s.b, "<g><title>%s</title><path class=\"%s\" d=\"%s\" marker-end=\"url(#aml-head)\"/>", escape(tip), class, d.String())
	if text := e.label; text != "" && b.labels { // halfway to where the arrow goes first, where arrows have parted
		p, q := pts[0], pts[1]
		x, y, anchor := (p.x+q.x)/2+6, (p.y+q.y)/2-2, "start"
		if q.x < p.x {
			x, anchor = x-12, "end"
		}
		fmt.Fprintf(&s.b, "<text class=\"free\" x=\"%s\" y=\"%s\" font-size=\"10\" text-anchor=\"%s\">%s</text>", num(x), num(y), anchor, escape(short(text, 24)))
	}
	s.b.WriteString("</g>\n")
}

// box writes a box with its text, and what is inside.
func (s *svg) box(b *body, i int, v *vertex) {
	c := b.cells[i]
	x, y := c.x-c.w/2, c.y-c.h/2
	class := paintOf(v).class
	fmt.Fprintf(&s.b, "<g><title>%s</title>", escape(v.hint()))
	rect := func(x, y, w, h, r float64) {
		fmt.Fprintf(&s.b, "<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" rx=\"%s\"/>", class, num(x), num(y), num(w), num(h), num(r))
	}
	switch v.role {
	case input_, output_:
		rect(x, y, c.w, c.h, c.h/2)
		s.text("ink", c.x, c.y+4, 12, 400, short(v.title, 34))
		s.b.WriteString("</g>\n")
		return
	case branch_:
		fmt.Fprintf(&s.b, "<path class=\"%s\" d=\"M%s %sL%s %sL%s %sL%s %sL%s %sL%s %sz\"/>", class,
			num(x+14), num(y), num(x+c.w-14), num(y), num(x+c.w), num(c.y), num(x+c.w-14), num(y+c.h), num(x+14), num(y+c.h), num(x), num(c.y))
	case loop_:
		rect(x+4, y-4, c.w, c.h, 7)
		rect(x, y, c.w, c.h, 7)
	default:
		rect(x, y, c.w, c.h, 7)
	}
	s.text("ink", c.x, y+18, 13, 600, short(v.title, 34))
	s.text("soft", c.x, y+34, 11, 400, short(v.line(), 46))
	s.b.WriteString("</g>\n")
	if in := b.inner[i]; in != nil {
		s.draw(in, c.x-in.w/2, y+headHeight)
	}
}

func (s *svg) text(class string, x, y float64, px, weight int, text string) {
	fmt.Fprintf(&s.b, "<text class=\"%s\" x=\"%s\" y=\"%s\" font-size=\"%d\" font-weight=\"%d\" text-anchor=\"middle\">%s</text>", class, num(x), num(y), px, weight, escape(text))
}

// num is a number with at most one digit behind the point.
func num(f float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", math.Round(f*10)/10+0), ".0")
}

var xml = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\"", "&quot;", "'", "&#39;")

func escape(s string) string { return xml.Replace(clean(s)) }

// textWidth is about how wide a text is, in a font of some size: letters of the East are as wide as they are high.
func textWidth(s string, px float64) float64 {
	w := 0.0
	for _, r := range s {
		switch {
		case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff, r >= 0xff00 && r <= 0xff60, r >= 0x1f300:
			w++
		case strings.ContainsRune("iljt.,:;|'! ", r):
			w += 0.33
		case strings.ContainsRune("mwMW@%", r) || r >= 'A' && r <= 'Z':
			w += 0.74
		default:
			w += 0.57
		}
	}
	return w * px
}
