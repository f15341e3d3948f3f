package emulator

import (
	"database/sql"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// Serverless endpoints and marketplace subscriptions have no meaning on one machine: their documents are kept, and nothing in them says that a model is served.

var serverlessKind = &kind{
	word: "serverless endpoint", envelope: trackedFields, state: true, put: styleAsync, patch: styleLocation, del: styleLocation,
	check: func(_ *call, ch *change) error {
		if ch.doc.text("location") == "" {
			return arm.BadRequest("LocationRequired", "The location property is required for this definition.")
		}
		if err := ch.doc.missing("properties.modelSettings.modelId"); err != nil {
			return err
		}
		p := ch.doc.props()
		if p["authMode"] == nil {
			p["authMode"] = "Key"
		}
		mode, err := ch.doc.oneOf("properties.authMode", "Key", "AAD", "KeyAndAAD")
		if err != nil {
			return err
		}
		p["authMode"] = mode
		p["endpointState"] = "Offline"
		p["inferenceEndpoint"] = map[string]any{"uri": "https://" + strings.ToLower(ch.id.Name()) + "." + arm.Region + ".models.ai.azure.com", "headers": map[string]any{}}
		if ch.doc["tags"] == nil {
			ch.doc["tags"] = map[string]any{}
		}
		return nil
	},
	frozen: func(old, doc document) error {
		return same(old, doc, "UserError", "properties.modelSettings.modelId", "location")
	},
	stored: func(c *call, tx *sql.Tx, ch *change) error { return putKeys(tx, ch.id.String(), nil, c.s.newKey) },
}

var marketplaceKind = &kind{
	word: "marketplace subscription", state: true, put: styleAsync, del: styleLocation,
	check: func(_ *call, ch *change) error {
		if err := ch.doc.missing("properties.modelId"); err != nil {
			return err
		}
		// No offer was bought: the subscription stays suspended.
		ch.doc.props()["marketplaceSubscriptionStatus"] = "Suspended"
		ch.doc.props()["marketplacePlan"] = map[string]any{"publisherId": "", "offerId": "", "planId": ""}
		return nil
	},
	frozen: func(old, doc document) error { return same(old, doc, "UserError", "properties.modelId") },
}

func serverlessRoutes() []route {
	const typ = "workspaces/serverlessEndpoints"
	one := pW + "/serverlessEndpoints/{endpoint}"
	since := sinceServerless
	rs := append(crud(serverlessKind, typ, "ServerlessEndpoints", pW+"/serverlessEndpoints", "endpoint", since), patched(serverlessKind, typ, "ServerlessEndpoints", one, since),
		post(one+"/listKeys", typ, "ServerlessEndpoints_ListKeys", since, styleNone, func(c *call) error {
			id, _, err := endpointInPath(c, "serverless endpoint")
			if err != nil {
				return err
			}
			return replyKeys(c, id)
		}),
		post(one+"/regenerateKeys", typ, "ServerlessEndpoints_RegenerateKeys", since, styleLocation, regenerate),
		post(one+"/getStatus", typ, "ServerlessEndpoints_GetStatus", since, styleNone, func(c *call) error {
			_, d, err := endpointInPath(c, "serverless endpoint")
			if err != nil {
				return err
			}
			return c.reply(200, document{"endpointState": d.at("properties", "endpointState"), "provisioningState": d.at("properties", "provisioningState")})
		}))
	return append(rs, crud(marketplaceKind, "workspaces/marketplaceSubscriptions", "MarketplaceSubscriptions", pW+"/marketplaceSubscriptions", "subscription", since)...)
}
