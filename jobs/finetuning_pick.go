package jobs

import (
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// pickJob chooses kinds of jobs that one word of files or of the service stands for; nil leaves it to the word.
func pickJob(d *wire.Decoding, n *wire.Node) any {
	if d.Spelling() == wire.REST {
		return pickAnswered(n)
	}
	switch t, _ := n.Get("type").Str(); strings.ToLower(t) {
	case "finetuning":
		at := n.Get("model_provider")
		provider, _ := at.Str()
		switch y, ok := modelProviders.Parse(provider); {
		case ok && y == providerOpenAI:
			return new(OpenAIFineTuningJob)
		case ok:
			return new(FineTuningJob)
		case at == nil:
			d.Fault(n, "the required field %q is missing: %s", "model_provider", strings.Join(modelProviders.Values(), " or "))
		default:
			d.At("model_provider").Fault(at, "is none of %s", strings.Join(modelProviders.Values(), ", "))
		}
	case "import":
		if !d.Private() && d.Strict() {
			d.At("type").Fault(n.Get("type"), "import jobs are a preview feature; set %s=true to use it", previewFeatures)
			return nil
		}
		return new(ImportJob)
	}
	return nil
}

const providerOpenAI = "azure_open_ai"

var modelProviders = wire.NewEnum(providerOpenAI, "AzureOpenAI", "custom", "Custom")

// pickAnswered tells apart what the service answers under one job type.
func pickAnswered(n *wire.Node) any {
	p := n.Get("properties")
	if p.Get("jobType") == nil { // a job inside a schedule stands bare
		p = n
	}
	switch t, _ := p.Get("jobType").Str(); {
	case strings.EqualFold(t, "FineTuning"):
		if s := p.Get("properties", propDistill); s.IsScalar() && !strings.EqualFold(s.Text, "false") {
			return new(DistillationJob)
		}
		provider, _ := p.Get("fineTuningDetails", "modelProvider").Str()
		switch y, ok := modelProviders.Parse(provider); {
		case ok && y == providerOpenAI:
			return new(OpenAIFineTuningJob)
		case !ok && provider != "":
			return new(UnknownJob)
		}
	case strings.EqualFold(t, "Command"):
		if id, _ := p.Get("computeId").Str(); strings.HasSuffix(strings.ToLower(id), "/"+strings.ToLower(importCompute)) {
			return new(ImportJob)
		}
	}
	return nil
}
