package serving

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"
)

// image is what a Dockerfile that only copies and starts says.
type image struct {
	from       string
	copies     []copyStep
	workdir    string
	env        []string // KEY=value
	entrypoint []string
	cmd        []string
}

type copyStep struct {
	sources []string // relative to the context
	to      string   // absolute in the image; a slash at its end says folder
	line    int
}

// instructions that are run; every other one is refused with its line.
const allowed = "FROM, WORKDIR, COPY, ENV, EXPOSE, ENTRYPOINT and CMD"

// parseDockerfile reads the subset that can be run without a container engine.
func parseDockerfile(text string) (*image, error) {
	im := &image{workdir: "/"}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		at := i + 1
		line := strings.TrimSpace(lines[i])
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for strings.HasSuffix(line, `\`) {
			line = strings.TrimSuffix(line, `\`)
			i++
			for i < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[i]), "#") {
				i++
			}
			if i >= len(lines) {
				break
			}
			line += strings.TrimSpace(lines[i])
		}
		word, rest, _ := strings.Cut(line, " ")
		if err := im.step(strings.ToUpper(word), strings.TrimSpace(rest), at); err != nil {
			return nil, err
		}
	}
	if im.from == "" {
		return nil, fmt.Errorf("dockerfile: there is no FROM")
	}
	if len(im.entrypoint)+len(im.cmd) == 0 {
		return nil, fmt.Errorf("dockerfile: there is neither ENTRYPOINT nor CMD; what the base image would start is not known here")
	}
	return im, nil
}

func (im *image) step(word, rest string, at int) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("dockerfile line %d: "+format, append([]any{at}, args...)...)
	}
	if im.from == "" && word != "FROM" {
		return bad("%s stands before FROM", word)
	}
	if word != "FROM" && rest == "" {
		return bad("%s says nothing", word)
	}
	switch word {
	case "FROM":
		if im.from != "" {
			return bad("a second FROM: builds in stages need a container engine")
		}
		f := strings.Fields(rest)
		for len(f) > 0 && strings.HasPrefix(f[0], "--") {
			f = f[1:]
		}
		if len(f) == 0 {
			return bad("FROM names no image")
		}
		im.from = f[0]
	case "WORKDIR":
		im.workdir = path.Join("/", im.absolute(im.substitute(unquote(rest))))
	case "COPY":
		return im.copy(rest, at, bad)
	case "ENV":
		return im.setEnv(rest, bad)
	case "EXPOSE":
	case "ENTRYPOINT":
		im.entrypoint, im.cmd = command(rest), nil
	case "CMD":
		im.cmd = command(rest)
	default:
		return bad("%s: without a container engine only %s can be run", word, allowed)
	}
	return nil
}

func (im *image) absolute(p string) string {
	if strings.HasPrefix(p, "/") {
		return p
	}
	return path.Join(im.workdir, p)
}

func (im *image) copy(rest string, at int, bad func(string, ...any) error) error {
	var f []string
	for _, w := range words(rest) {
		switch {
		case len(f) > 0 || !strings.HasPrefix(w, "--"):
			f = append(f, im.substitute(w))
		case strings.HasPrefix(w, "--chmod="), strings.HasPrefix(w, "--chown="), w == "--link":
			// files belong to the caller here, and programs are made executable
		default:
			return bad("COPY %s: only files of the build context can be copied", w)
		}
	}
	if strings.HasPrefix(strings.TrimSpace(rest), "[") {
		f = nil
		if err := json.Unmarshal([]byte(rest), &f); err != nil {
			return bad("COPY: %v", err)
		}
	}
	if len(f) < 2 {
		return bad("COPY wants sources and a destination")
	}
	to := f[len(f)-1]
	c := copyStep{sources: f[:len(f)-1], to: im.absolute(to), line: at}
	if (strings.HasSuffix(to, "/") || to == "." || len(c.sources) > 1) && !strings.HasSuffix(c.to, "/") {
		c.to += "/"
	}
	for _, s := range c.sources {
		if strings.Contains(s, "://") || strings.HasPrefix(s, "<<") {
			return bad("COPY %s: only files of the build context can be copied", s)
		}
	}
	im.copies = append(im.copies, c)
	return nil
}

func (im *image) setEnv(rest string, bad func(string, ...any) error) error {
	ws := words(rest)
	if !strings.Contains(ws[0], "=") { // the old form: ENV KEY the rest is the value
		if len(ws) < 2 {
			return bad("ENV %s has no value", ws[0])
		}
		im.env = append(im.env, ws[0]+"="+im.substitute(strings.TrimSpace(rest[len(ws[0]):])))
		return nil
	}
	for _, w := range ws {
		k, v, ok := strings.Cut(w, "=")
		if !ok || k == "" {
			return bad("ENV: %q is not NAME=value", w)
		}
		im.env = append(im.env, k+"="+im.substitute(v))
	}
	return nil
}

// substitute puts in the variables that ENV has set so far.
func (im *image) substitute(s string) string {
	return os.Expand(s, func(name string) string {
		name, fallback, _ := strings.Cut(name, ":-")
		for i := len(im.env) - 1; i >= 0; i-- {
			if v, ok := strings.CutPrefix(im.env[i], name+"="); ok {
				return v
			}
		}
		return fallback
	})
}

// command reads the list form or the shell form.
func command(rest string) []string {
	var list []string
	if strings.HasPrefix(rest, "[") && json.Unmarshal([]byte(rest), &list) == nil {
		return list
	}
	return []string{"/bin/sh", "-c", rest}
}

// words splits at blanks outside of quotes and takes the quotes off.
func words(s string) []string {
	var out []string
	var b strings.Builder
	quote, in := rune(0), false
	esc := false
	for _, r := range s {
		switch {
		case esc:
			b.WriteRune(r)
			esc = false
		case r == '\\' && quote != '\'':
			esc, in = true, true
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				b.WriteRune(r)
			}
		case r == '"' || r == '\'':
			quote, in = r, true
		case r == ' ' || r == '\t':
			if in {
				out = append(out, b.String())
				b.Reset()
				in = false
			}
		default:
			b.WriteRune(r)
			in = true
		}
	}
	if in {
		out = append(out, b.String())
	}
	return out
}

func unquote(s string) string {
	if w := words(s); len(w) == 1 {
		return w[0]
	}
	return s
}
