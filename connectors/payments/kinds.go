package payments

import (
	"github.com/stripe/stripe-go/v85"

	"crosslift/schemas/table"
)

// kinds are the streams, in their order.
func kinds() []*kind {
	charges := of(kind{
		name: "charges", object: "charge", path: "/v1/charges", table: table.Payment,
		events: types("charge.", "captured expired failed pending refunded succeeded updated"),
		expand: []string{"customer", "balance_transaction"}, required: []string{"amount", "currency", "status"},
		balance: []string{"charge", "payment"},
	}, payment)
	charges.prepare = bills
	charges.settle = func(v any) settled {
		c := v.(*stripe.Charge)
		return settled{c.Currency, c.Created, c.BalanceTransaction}
	}
	refunds := of(kind{
		name: "refunds", object: "refund", path: "/v1/refunds", table: table.Refund,
		events: append(types("refund.", "created failed updated"), "charge.refund.updated"),
		expand: []string{"balance_transaction"}, required: []string{"amount", "currency", "status", "charge"},
		balance: []string{"refund", "payment_refund"},
	}, refund)
	refunds.settle = func(v any) settled {
		r := v.(*stripe.Refund)
		return settled{r.Currency, r.Created, r.BalanceTransaction}
	}
	return []*kind{
		charges,
		refunds,
		of(kind{
			name: "disputes", object: "dispute", path: "/v1/disputes", table: table.Dispute,
			events:   types("charge.dispute.", "closed created funds_reinstated funds_withdrawn updated"),
			required: []string{"amount", "currency", "status", "charge"},
		}, dispute),
		of(kind{
			name: "subscriptions", object: "subscription", path: "/v1/subscriptions", table: table.Subscription,
			events: types("customer.subscription.",
				"created deleted paused pending_update_applied pending_update_expired resumed updated"),
			status: "all", expand: []string{"customer"}, required: []string{"status", "start_date"},
		}, subscription),
		of(kind{
			name: "invoices", object: "invoice", path: "/v1/invoices", table: table.Invoice,
			events: types("invoice.", "created deleted finalization_failed finalized marked_uncollectible overdue overpaid "+
				"paid payment_action_required payment_failed payment_succeeded sent updated voided"),
			expand: []string{"customer"}, required: []string{"amount_due", "amount_paid", "currency", "status"},
		}, invoice),
		of(kind{
			name: "balance_transactions", object: "balance_transaction", path: "/v1/balance_transactions",
			table:    table.BalanceTransaction,
			required: []string{"amount", "fee", "net", "currency", "type"},
		}, balanceTransaction),
	}
}
