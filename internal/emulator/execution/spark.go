package execution

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// sparkSpec is what is read of a Spark job's REST properties.
type sparkSpec struct {
	commandSpec
	sparkApplication
}

// sparkApplication is what is run. A component and a step of a pipeline spell
// it in snake case.
type sparkApplication struct {
	Entry struct {
		File      string `json:"file"`
		ClassName string `json:"className"`
	} `json:"entry"`
	Conf     map[string]scalar `json:"conf"`
	PyFiles  []string          `json:"pyFiles"`
	Jars     []string          `json:"jars"`
	Files    []string          `json:"files"`
	Archives []string          `json:"archives"`
	Args     string            `json:"args"`
}

func init() {
	addKind("Spark", &kind{work: (*job).spark, check: func(ctx context.Context, e *Engine, sc arm.Scope, properties json.RawMessage) []*arm.Error {
		return e.sparkFaults(ctx, sc, properties)
	}})
	addNode("spark", &nodeType{component: "spark", job: sparkNode})
}

// local makes the job's ports those of a file system that Spark reads and
// writes here: what it would address in the storage directly it gets as paths.
func (s *sparkSpec) local() {
	s.Command = s.Args
	for k, in := range s.Inputs {
		if in != nil && in.Mode == "Direct" {
			c := *in
			c.Mode = "ReadOnlyMount"
			s.Inputs[k] = &c
		}
	}
	for k := range s.Outputs {
		o := outputOf(&s.commandSpec, k)
		o.Mode = "ReadWriteMount"
		s.Outputs[k] = &o
	}
}

// sparkSubmit finds Spark's launcher: in SPARK_HOME, else in PATH.
func sparkSubmit() (string, error) {
	name := "spark-submit"
	if runtime.GOOS == "windows" {
		name += ".cmd"
	}
	if home := os.Getenv("SPARK_HOME"); home != "" {
		if p, err := exec.LookPath(filepath.Join(home, "bin", name)); err == nil {
			return p, nil
		}
	}
	return exec.LookPath(name)
}

// files of an application, by the field that lists them.
func (a *sparkApplication) files() map[string][]string {
	return map[string][]string{"pyFiles": a.PyFiles, "jars": a.Jars, "files": a.Files, "archives": a.Archives}
}

func (e *Engine) sparkFaults(ctx context.Context, sc arm.Scope, raw json.RawMessage) []*arm.Error {
	var s sparkSpec
	if err := json.Unmarshal(raw, &s); err != nil {
		return []*arm.Error{arm.Invalid("properties", "the job cannot be read: %v", err)}
	}
	var out []*arm.Error
	add := func(err error) {
		if err != nil {
			out = append(out, arm.As(err))
		}
	}
	var env *Environment
	if s.EnvironmentID != "" {
		var err error
		if env, err = e.environment(ctx, sc, s.EnvironmentID); err != nil {
			add(at("properties.environmentId", err))
		} else if err := e.Environments.Check(env); err != nil {
			add(err)
		}
	}
	if e.contained() != nil && s.EnvironmentID == "" {
		add(arm.Invalid("properties.environmentId", "jobs run in containers here: a Spark job needs an environment whose image has spark-submit"))
	} else if _, err := sparkSubmit(); err != nil && !e.bringsSpark(env) {
		add(arm.Invalid("properties.jobType", "a Spark job needs the program spark-submit, which is neither in SPARK_HOME nor in PATH: install Apache Spark, or pyspark with pip, and Java"))
	}
	if _, err := shell(); err != nil && e.contained() == nil {
		add(arm.Invalid("properties", "%v", err))
	}
	switch {
	case s.Entry.File == "" && s.Entry.ClassName == "":
		add(arm.Invalid("properties.entry.file", "an entry file is required"))
	case s.Entry.ClassName != "":
		add(arm.Invalid("properties.entry", "an entry by class is not run, here as in Azure; give a Python file"))
	}
	switch {
	case s.CodeID == "":
		add(arm.Invalid("properties.codeId", "the code with the entry file is required"))
	default:
		if _, err := e.Resolver.Resolve(ctx, sc, s.CodeID, arm.Codes); err != nil {
			add(at("properties.codeId", err))
		}
	}
	for _, k := range sorted(s.files()) {
		for _, f := range s.files()[k] {
			if scheme, _, ok := strings.Cut(f, "://"); ok && scheme != "http" && scheme != "https" && scheme != "file" && scheme != "local" {
				add(arm.Invalid("properties."+k, "%q: the local workspace's Spark reads files of the code and web addresses, not %s", f, scheme))
			}
		}
	}
	if m := s.Conf["spark.master"]; m != "" {
		add(arm.Invalid("properties.conf", "spark.master is the workspace's to say, not %q", m))
	}
	if name := computeName(s.ComputeID); !elastic(name) {
		switch {
		case e.Slots(sc, name) == 0:
			add(arm.Invalid("properties.computeId", "the compute %q is not there or runs no jobs", name))
		case e.SparkPool == nil || !e.SparkPool(sc, name):
			add(arm.Invalid("properties.computeId", "the compute %q is no attached Spark pool; leave it out for serverless Spark", name))
		}
	}
	s.local()
	e.checkPorts(ctx, sc, &s.commandSpec, func(err error) {
		f := *arm.As(err)
		f.Target = strings.Replace(f.Target, "properties.command", "properties.args", 1)
		out = append(out, &f)
	})
	return out
}

// bringsSpark is true of an environment whose packages are provided and hold Spark.
func (e *Engine) bringsSpark(env *Environment) bool {
	if e.contained() != nil { // it is looked for when the container runs
		return true
	}
	if _, ok := e.Environments.(*Venv); !ok || env == nil {
		return false
	}
	conda, pip, err := env.Packages()
	return err == nil && slices.ContainsFunc(append(conda, pip...), func(p string) bool { return strings.HasPrefix(strings.ToLower(strings.TrimSpace(p)), "pyspark") })
}

// spark runs a Spark job that has its node: all of Spark in one process tree of
// this machine, with as many threads as the executors have cores.
func (j *job) spark() error {
	var s sparkSpec
	if err := json.Unmarshal(j.snapshot().Spec, &s); err != nil {
		return err
	}
	s.local()
	s.vars, s.Command = sparkVariables(), "spark-submit" // the program that messages name
	submit := "spark-submit"                             // of an environment that brings it, whose PATH comes first
	if j.e.contained() != nil {
		s.vars = s.vars[:1]
	} else if at, err := sparkSubmit(); err == nil {
		submit = at
	}
	return j.process(&s.commandSpec, func(p *paths) (string, error) { return s.line(submit, j.snapshot().Name, p) })
}

// sparkVariables are what spark-submit finds its parts by.
func sparkVariables() []string {
	env := []string{"SPARK_LOCAL_IP=127.0.0.1"} // nothing listens beyond loopback
	for _, k := range []string{"JAVA_HOME", "SPARK_HOME", "HADOOP_HOME", "HADOOP_CONF_DIR", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"} {
		if v := os.Getenv(k); v != "" {
			env = append(env, k+"="+v)
		}
	}
	if at, err := sparkSubmit(); err == nil && os.Getenv("PYSPARK_PYTHON") == "" {
		// A pip installation has its Python beside it.
		if py := filepath.Join(filepath.Dir(at), "python3"); isFile(py) {
			env = append(env, "PYSPARK_PYTHON="+py)
		}
	}
	return env
}

func isFile(at string) bool {
	i, err := os.Stat(at)
	return err == nil && i.Mode().IsRegular()
}

// line is the command that submits the application.
func (s *sparkSpec) line(submit, name string, p *paths) (string, error) {
	if !isFile(filepath.Join(p.code, filepath.FromSlash(s.Entry.File))) {
		return "", userError("the entry file %s is not in the code", s.Entry.File)
	}
	words := []string{submit, "--master", "local[" + strconv.Itoa(s.threads()) + "]", "--name", name}
	conf := map[string]string{
		"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
		"spark.local.dir": p.temp, "spark.sql.warehouse.dir": filepath.Join(p.temp, "warehouse"),
	}
	for k, v := range s.Conf {
		conf[k] = string(v)
	}
	for _, k := range sorted(conf) {
		words = append(words, "--conf", k+"="+conf[k])
	}
	if m := conf["spark.driver.memory"]; m != "" {
		words = append(words, "--driver-memory", m)
	}
	if m := conf["spark.executor.memory"]; m != "" {
		words = append(words, "--executor-memory", m)
	}
	for _, l := range []struct {
		flag  string
		files []string
	}{{"--py-files", s.PyFiles}, {"--jars", s.Jars}, {"--files", s.Files}, {"--archives", s.Archives}} {
		if len(l.files) > 0 {
			words = append(words, l.flag, strings.Join(l.files, ","))
		}
	}
	args, err := arguments(s.Args, p.values)
	if err != nil {
		return "", userError("the arguments cannot be expanded: %v", err)
	}
	words = append(append(words, s.Entry.File), args...)
	for i, w := range words {
		words[i] = quoted(w)
	}
	return "exec " + strings.Join(words, " "), nil
}

// threads is how many cores the executors have together.
func (s *sparkSpec) threads() int {
	n := func(key string) int {
		v, err := strconv.Atoi(string(s.Conf[key]))
		if err != nil || v < 1 {
			return 1
		}
		return v
	}
	count := n("spark.executor.instances")
	if strings.EqualFold(string(s.Conf["spark.dynamicAllocation.enabled"]), "true") {
		count = max(count, n("spark.dynamicAllocation.maxExecutors"))
	}
	return n("spark.executor.cores") * count
}

// arguments splits a line as a shell does, and puts values into its words: a
// value stays one word whatever is in it, and nothing in the line is a command.
func arguments(line string, values map[string]string) ([]string, error) {
	marked := map[string]string{}
	var order []string
	for k, v := range values {
		marked[k] = "\x00" + strconv.Itoa(len(order)) + "\x01"
		order = append(order, v)
	}
	line, err := expand(line, marked)
	if err != nil {
		return nil, err
	}
	words, err := split(line)
	if err != nil {
		return nil, err
	}
	for i, w := range words {
		for n, v := range order {
			w = strings.ReplaceAll(w, "\x00"+strconv.Itoa(n)+"\x01", v)
		}
		words[i] = w
	}
	return words, nil
}

// split knows blanks, both quotes and the backslash.
func split(line string) ([]string, error) {
	var out []string
	var word strings.Builder
	begun, quote, escaped := false, rune(0), false
	for _, c := range line {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			begun, escaped = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			begun, quote = true, c
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if begun {
				out = append(out, word.String())
				word.Reset()
				begun = false
			}
		default:
			begun = true
			word.WriteRune(c)
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote is not closed")
	}
	if begun {
		out = append(out, word.String())
	}
	return out, nil
}

// quoted is a word as a shell reads it back.
func quoted(w string) string {
	if w != "" && strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@+") == "" {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// sparkNode fills the Spark job of a step: what the step says of its
// application goes before what the component says.
func sparkNode(g *graph, s *step, p map[string]any) error {
	type spelled struct {
		Entry    *struct{ File, ClassName string } `json:"entry"`
		Conf     map[string]scalar                 `json:"conf"`
		PyFiles  []string                          `json:"py_files"`
		Jars     []string                          `json:"jars"`
		Files    []string                          `json:"files"`
		Archives []string                          `json:"archives"`
		Args     *string                           `json:"args"`
	}
	var own, component spelled
	if err := s.own(&own); err != nil {
		return err
	}
	if err := s.component.own(&component); err != nil {
		return err
	}
	p["jobType"], p["codeId"], p["environmentId"] = "Spark", assetID(s.component.Code), assetID(s.component.Environment)
	entry, args := own.Entry, own.Args
	if entry == nil {
		entry = component.Entry
	}
	if args == nil {
		args = component.Args
	}
	if entry != nil {
		p["entry"] = map[string]any{"file": entry.File, "className": entry.ClassName}
	}
	if args != nil {
		p["args"] = *args
	}
	conf := map[string]scalar{}
	for _, of := range []spelled{component, own} {
		for k, v := range of.Conf {
			conf[k] = scalar(g.bind(string(v)))
		}
	}
	p["conf"] = conf
	for k, of := range map[string][2][]string{"pyFiles": {own.PyFiles, component.PyFiles}, "jars": {own.Jars, component.Jars}, "files": {own.Files, component.Files}, "archives": {own.Archives, component.Archives}} {
		if of[0] == nil {
			of[0] = of[1]
		}
		p[k] = of[0]
	}
	if s.ComputeID == "" {
		delete(p, "computeId") // the pipeline's default compute runs no Spark: this is serverless
	}
	return nil
}
