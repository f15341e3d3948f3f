package jobs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/wire"
)

func TestAllDeclarations(t *testing.T) {
	for _, v := range []any{
		&CommandJob{}, &SweepJob{}, &SparkJob{}, &PipelineJob{}, &UnknownJob{},
		&CommandComponent{}, &ParallelComponent{}, &SparkComponent{}, &PipelineComponent{}, &DataTransferComponent{}, &ImportComponent{}, &FlowComponent{}, &UnknownComponent{},
		&CommandNode{}, &SweepNode{}, &ParallelNode{}, &SparkNode{}, &PipelineNode{}, &DataTransferNode{}, &AutoMLNode{}, &DoWhileNode{}, &IfElseNode{}, &ParallelForNode{}, &UnknownNode{},
		&Schedule{}, &ScheduledJob{}, &Monitor{}, &DataImport{}, &UnknownAction{}, &CronTrigger{}, &RecurrenceTrigger{}, &UnknownTrigger{},
		&DataDriftSignal{}, &PredictionDriftSignal{}, &DataQualitySignal{}, &FeatureAttributionSignal{}, &PerformanceSignal{}, &CustomSignal{}, &SafetySignal{}, &TokenSignal{}, &UnknownSignal{},
	} {
		require.NoError(t, wire.Check(v), "%T", v)
	}
}
