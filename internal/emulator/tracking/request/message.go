package request

import (
	"strings"
	"sync"
)

// Kind is the type of a field.
type Kind byte

const (
	String Kind = iota
	Int64
	Int32
	Double
	Bool
	Enum
	Nested
	Map      // of string to string
	Time     // google.protobuf.Timestamp, in milliseconds
	Duration // google.protobuf.Duration, in milliseconds
	Value    // google.protobuf.Value: any JSON
	Mask     // google.protobuf.FieldMask
)

// Field is a field of a message.
type Field struct {
	Name     string // snake case
	JSON     string // camel case, which requests may use too
	Kind     Kind
	Repeated bool
	Message  string           // of nested ones
	Enum     map[string]int64 // names and numbers
	OneOf    string
	Default  any
}

// Type describes a message.
type Type struct {
	Name   string
	Fields []*Field
	byName map[string]*Field
	byJSON map[string]*Field
}

var enums = map[string]map[string]int64{
	"ViewType":    {"ACTIVE_ONLY": 1, "DELETED_ONLY": 2, "ALL": 3},
	"RunStatus":   {"RUNNING": 1, "SCHEDULED": 2, "FINISHED": 3, "FAILED": 4, "KILLED": 5},
	"Logged":      {"LOGGED_MODEL_STATUS_UNSPECIFIED": 0, "LOGGED_MODEL_PENDING": 1, "LOGGED_MODEL_READY": 2, "LOGGED_MODEL_UPLOAD_FAILED": 3},
	"TraceOld":    {"TRACE_STATUS_UNSPECIFIED": 0, "OK": 1, "ERROR": 2, "IN_PROGRESS": 3},
	"TraceState":  {"STATE_UNSPECIFIED": 0, "OK": 1, "ERROR": 2, "IN_PROGRESS": 3},
	"Location":    {"TRACE_LOCATION_TYPE_UNSPECIFIED": 0, "MLFLOW_EXPERIMENT": 1, "INFERENCE_TABLE": 2},
	"MeasureView": {"TRACES": 1, "SPANS": 2, "ASSESSMENTS": 3},
	"Aggregate":   {"COUNT": 1, "SUM": 2, "AVG": 3, "PERCENTILE": 4, "MIN": 5, "MAX": 6},
	"Source":      {"SOURCE_TYPE_UNSPECIFIED": 0, "HUMAN": 1, "LLM_JUDGE": 2, "CODE": 3},
}

var kinds = map[string]Kind{
	"": String, "i64": Int64, "i32": Int32, "double": Double, "bool": Bool, "map": Map, "time": Time, "duration": Duration, "value": Value, "mask": Mask,
}

// types are the messages of messages.go, read once.
var types = sync.OnceValue(func() map[string]*Type {
	m := map[string]*Type{}
	for line := range strings.Lines(messages) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		t := &Type{Name: words[0], byName: map[string]*Field{}, byJSON: map[string]*Field{}}
		for _, w := range words[1:] {
			f := readField(w)
			t.Fields = append(t.Fields, f)
			t.byName[f.Name], t.byJSON[f.JSON] = f, f
		}
		m[t.Name] = t
	}
	return m
})

// readField reads name:kind, with * behind it for lists, @x for a union, =x for a default.
func readField(w string) *Field {
	f := &Field{}
	w, def, _ := strings.Cut(w, "=")
	w, f.OneOf, _ = strings.Cut(w, "@")
	w, f.Repeated = strings.CutSuffix(w, "*")
	name, kind, _ := strings.Cut(w, ":")
	f.Name, f.JSON = name, camel(name)
	if k, ok := kinds[kind]; ok {
		f.Kind = k
	} else if e, ok := enums[kind]; ok {
		f.Kind, f.Enum = Enum, e
	} else {
		f.Kind, f.Message = Nested, kind
	}
	switch {
	case def == "true":
		f.Default = true
	case def != "":
		f.Default, _ = toInt64(def)
	}
	return f
}

func camel(s string) string {
	var b strings.Builder
	up := false
	for _, r := range s {
		if r == '_' {
			up = true
			continue
		}
		if up {
			b.WriteString(strings.ToUpper(string(r)))
		} else {
			b.WriteRune(r)
		}
		up = false
	}
	return b.String()
}

// messages are MLflow's requests, one on a line: its name, then its fields. Fields
// without a kind are strings.
const messages = `
CreateExperiment name artifact_location tags:Tag*
GetExperiment experiment_id
GetExperimentByName experiment_name
SearchExperiments max_results:i64 page_token filter order_by* view_type:ViewType
ExperimentID experiment_id
UpdateExperiment experiment_id new_name
SetExperimentTag experiment_id key value
DeleteExperimentTag experiment_id key
SearchDatasets experiment_ids*
CreateDataset name experiment_ids* tags
SearchEvaluationDatasets experiment_ids* filter_string max_results:i32=1000 order_by* page_token
SetDatasetTags tags
UpsertDatasetRecords records
GetDatasetRecords max_results:i32=1000 page_token
DeleteDatasetRecords dataset_record_ids*
AddDatasetToExperiments experiment_ids*
RemoveDatasetFromExperiments experiment_ids*
QueryTraceMetrics experiment_ids* view_type:MeasureView=1 metric_name aggregations:MeasureAggregation* dimensions* filters* time_interval_seconds:i64 start_time_ms:i64 end_time_ms:i64 max_results:i32=1000 page_token
MeasureAggregation aggregation_type:Aggregate percentile_value:double
CalculateTraceFilterCorrelation experiment_ids* filter_string1 filter_string2 base_filter
CreateRun experiment_id user_id run_name start_time:i64 tags:Tag*
GetRun run_id run_uuid
UpdateRun run_id run_uuid status:RunStatus end_time:i64 run_name
RunID run_id
LogMetric run_id run_uuid key value:double timestamp:i64 step:i64 model_id dataset_name dataset_digest
LogParam run_id run_uuid key value
SetTag run_id run_uuid key value
DeleteTag run_id key
SearchRuns experiment_ids* filter run_view_type:ViewType=1 max_results:i32=1000 order_by* page_token
LogBatch run_id metrics:Metric* params:Tag* tags:Tag*
LogModel run_id model_json
LogInputs run_id datasets:DatasetInput* models:ModelInput*
LogOutputs run_id models:ModelOutput*
GetMetricHistory run_id run_uuid metric_key page_token max_results:i32
GetMetricHistoryBulkInterval run_ids* metric_key start_step:i32 end_step:i32 max_results:i32
ListArtifacts run_id run_uuid path page_token
PresignedUpload run_id path expiration:i64 model_id
PresignedDownload run_id path expiration:i64
Tag key value
Metric key value:double timestamp:i64 step:i64 dataset_name dataset_digest model_id run_id
DatasetInput tags:Tag* dataset:Dataset
Dataset name digest source_type source schema profile
ModelInput model_id
ModelOutput model_id step:i64
CreateRegisteredModel name tags:Tag* description deployment_job_id
ModelName name
RenameRegisteredModel name new_name
UpdateRegisteredModel name description deployment_job_id
SearchRegisteredModels filter max_results:i64=100 order_by* page_token
GetLatestVersions name stages*
CreateModelVersion name source run_id tags:Tag* run_link description model_id
ModelVersion name version
UpdateModelVersion name version description
TransitionStage name version stage archive_existing_versions:bool
SearchModelVersions filter max_results:i64=200000 order_by* page_token
SetModelTag name key value
DeleteModelTag name key
SetVersionTag name version key value
DeleteVersionTag name version key
SetAlias name alias version
Alias name alias
CreateLoggedModel experiment_id name model_type source_run_id params:Tag* tags:Tag*
FinalizeLoggedModel model_id status:Logged
SearchLoggedModels experiment_ids* filter datasets:LoggedDataset* max_results:i32=50 order_by:LoggedOrder* page_token
LoggedDataset dataset_name dataset_digest
LoggedOrder field_name ascending:bool=true dataset_name dataset_digest
LoggedModelTags model_id tags:Tag*
LoggedModelParams model_id params:Tag*
ListLoggedModelArtifacts model_id artifact_directory_path page_token
ProxyList path
CreateMultipart path num_parts:i64
CompleteMultipart path upload_id parts:MultipartPart*
MultipartPart part_number:i64 etag url
AbortMultipart path upload_id
StartTraceOld experiment_id timestamp_ms:i64 request_metadata:Tag* tags:Tag*
EndTraceOld request_id timestamp_ms:i64 status:TraceOld request_metadata:Tag* tags:Tag*
SearchTracesOld experiment_ids* filter max_results:i32=100 order_by* page_token
StartTrace trace:Trace
Trace trace_info:TraceInfo
TraceInfo trace_id client_request_id trace_location:TraceLocation request response request_preview response_preview request_time:time execution_duration:duration state:TraceState trace_metadata:map assessments:Assessment* tags:map
TraceLocation type:Location mlflow_experiment:ExperimentLocation@identifier inference_table:TableLocation@identifier
ExperimentLocation experiment_id
TableLocation full_table_name
SearchTraces locations:TraceLocation* filter max_results:i32=100 order_by* page_token
DeleteTraces experiment_id max_timestamp_millis:i64 max_traces:i32 request_ids*
SetTraceTag request_id trace_id key value
DeleteTraceTag request_id trace_id key
LinkTracesToRun trace_ids* run_id
LinkPrompts trace_id prompt_versions:PromptVersion*
PromptVersion name version
BatchGetTraces trace_ids* experiment_ids*
GetTrace trace_id allow_partial:bool
CreateAssessment assessment:Assessment
UpdateAssessment assessment:Assessment update_mask:mask
Assessment assessment_id assessment_name trace_id span_id source:AssessmentSource create_time:time last_update_time:time feedback:Feedback@value expectation:Expectation@value issue:IssueReference@value rationale error:AssessmentError metadata:map overrides valid:bool=true
AssessmentSource source_type:Source source_id
Feedback value:value error:AssessmentError
Expectation value:value serialized_value:SerializedValue
SerializedValue serialization_format value
IssueReference issue_name
AssessmentError error_code error_message stack_trace
AsyncStatus run_id batch_tracking_id
`
