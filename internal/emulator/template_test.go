package emulator

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

func testTemplate() *template {
	return &template{sub: "s", group: "g", parameters: map[string]any{"a": "x", "location": "[resourceGroup().location]", "place": "[parameters('location')]", "list": []any{"p", "q"}, "none": ""},
		variables: map[string]any{"v": "[concat(parameters('A'), '-', variables('w'))]", "w": "it''s", "round": "[variables('round')]", "o": map[string]any{"in": map[string]any{"deep": "yes"}}}}
}

func TestExpressions(t *testing.T) {
	for in, want := range map[string]any{
		"plain": "plain", "[[x]": "[x]", "[parameters('a')]": "x", "[parameters('place')]": "eastus", "[variables('v')]": "x-it''s", "[concat('it''s', 1)]": "it's1",
		"[if(equals(parameters('a'), 'X'), 'y', 'n')]": "y", "[and(true(), not(equals('a', 'b')))]": true, "[or(false(), empty(parameters('none')))]": true, "[empty(parameters('list'))]": false,
		"[parameters('list')[1]]": "q", "[variables('o').in.deep]": "yes", "[contains(parameters('list'), 'p')]": true, "[toLower('AB')]": "ab", "[coalesce(null(), 'z')]": "z", "[json('null')]": nil,
		"[subscription().subscriptionId]":                           "s",
		"[resourceId('Microsoft.Storage/storageAccounts', 'acct')]": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/acct",
		"[resourceId('t', 'h', 'A.B/c/d', 'x', 'y')]":               "/subscriptions/t/resourceGroups/h/providers/A.B/c/x/d/y",
		"[createArray('a', 2)]":                                     []any{"a", json.Number("2")},
		"[concat(createArray('a'), createArray('b'))]":              []any{"a", "b"},
		"[union(json('{\"a\": 1}'), json('{\"b\": 2}')).b]":         json.Number("2"),
	} {
		got, err := testTemplate().text(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, bad := range []string{"[parameters('none of these')]", "[variables('round')]", "[x]", "[x(", "[concat('a]", "[concat('a' 'b')]", "[nothing('a')]", "[parameters('a').b]", "[parameters('list')[9]]", "[if('a')]", "[]", "[1 2]", "[contains()]", strings.Repeat("[not(", 1) + strings.Repeat("not(", 100) + "]"} {
		if !strings.HasSuffix(bad, "]") {
			bad += "]"
		}
		_, err := testTemplate().text(bad)
		require.Error(t, err, bad)
	}
}

func FuzzExpression(f *testing.F) {
	for _, s := range []string{"[concat('a', parameters('b'))]", "[if(equals('a','b'),1,2)]", "[resourceId('a/b', 'c')]", "[x().y[0].z]", "['it''s']", "[[x]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := testTemplate().text(s)
		if err == nil {
			_, err = encode(v)
			require.NoError(t, err)
		}
	})
}

func TestTemplates(t *testing.T) {
	s := open(t, Options{})
	c := inside(t, s)
	path := groupAt("sub", "group") + "/providers/Microsoft.Resources/deployments/d?api-version=2020-06-01"
	body := map[string]any{"properties": map[string]any{"mode": "Incremental",
		"parameters": map[string]any{"workspaceName": map[string]any{"value": "fresh"}, "kind": map[string]any{"value": "FeatureStore"}},
		"template": map[string]any{
			"parameters": map[string]any{"workspaceName": map[string]any{"type": "string"}, "kind": map[string]any{"defaultValue": "Default"}, "location": map[string]any{"defaultValue": "[resourceGroup().location]"}},
			"resources": []any{
				map[string]any{"type": "Microsoft.Storage/storageAccounts", "name": "st", "location": "x"},
				map[string]any{"condition": false, "type": "Microsoft.MachineLearningServices/workspaces", "name": "not"},
				map[string]any{"type": "Microsoft.MachineLearningServices/workspaces", "name": "[parameters('workspaceName')]", "kind": "[parameters('kind')]", "location": "[parameters('location')]",
					"properties": map[string]any{"description": "[concat('of ', parameters('kind'))]", "keyVault": "[json('null')]"},
					"resources":  []any{map[string]any{"type": "connections", "name": "conn", "properties": map[string]any{"authType": "None", "category": "Git", "target": "x"}}}},
			},
		}}}
	r := c.do("PUT", path, body).want(201).doc()
	require.Equal(t, "Succeeded", r.text("properties", "provisioningState"))
	fresh := arm.Scope{Subscription: "sub", ResourceGroup: "group", Workspace: "fresh"}
	w := c.do("GET", fresh.ID()+version, nil).want(200).doc()
	require.Equal(t, "featurestore", w.text("kind"))
	require.Equal(t, "of FeatureStore", w.text("properties", "description"))
	c.do("GET", fresh.Child("connections", "conn")+version, nil).want(200)
	ops := c.do("GET", groupAt("sub", "group")+"/deployments/d/operations?api-version=2020-06-01", nil).want(200).doc()
	require.Len(t, ops["value"], 2)
	require.Equal(t, "Succeeded", c.do("GET", path, nil).want(200).doc().text("properties", "provisioningState"))

	delete(body["properties"].(map[string]any)["parameters"].(map[string]any), "workspaceName")
	require.Equal(t, "InvalidTemplate", c.do("PUT", path, body).want(400).code())
	c.do("PUT", path, map[string]any{"properties": map[string]any{"template": map[string]any{"resources": []any{map[string]any{"type": "Microsoft.MachineLearningServices/workspaces/jobs", "name": "a/b"}}}}}).want(400)
	c.do("PUT", path, map[string]any{"properties": map[string]any{}}).want(400)
}
