package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// listOrders answers with a user's orders. The answer is kept until an order of this user changes, or is made.
func (a *api) listOrders(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	after, limit, err := c.page()
	if err != nil {
		return nil, err
	}
	if err := c.query().First(&User{}, id).Error; err != nil {
		return nil, err
	}
	orders := []Order{}
	return orders, c.query().Where("user_id = ? AND id > ?", id, after).Order("id").Limit(int(limit)).Find(&orders).Error
}

// getOrder answers with an order and its items.
func (a *api) getOrder(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	var order Order
	return &order, c.query().Preload("Items", byProduct).First(&order, id).Error
}

func byProduct(db *gorm.DB) *gorm.DB { return db.Order("product_id") }

// createOrder takes from the stock what is ordered, and makes the order, or does neither.
func (a *api) createOrder(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	var body struct {
		Items []struct {
			ProductID int64 `json:"product_id"`
			Quantity  int64 `json:"quantity"`
		} `json:"items"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	order := Order{UserID: id, Status: Open}
	for _, i := range body.Items {
		order.Items = append(order.Items, Item{ProductID: i.ProductID, Quantity: i.Quantity})
	}
	if err := order.validate(); err != nil {
		return nil, err
	}
	if err := c.db.Transaction(func(tx *gorm.DB) error { return placeOrder(c, tx, &order) }); err != nil {
		return nil, err
	}
	return created{fmt.Sprintf("/orders/%d", order.ID), order}, nil
}

func placeOrder(c *call, tx *gorm.DB, order *Order) error {
	// Nobody deletes the user meanwhile.
	err := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthShare}).First(&User{}, order.UserID).Error
	if err != nil {
		return err
	}
	for i := range order.Items { // in the order of their products, so that two orders never wait for each other
		item := &order.Items[i]
		var product Product
		taken := c.on(tx).Model(&product).Clauses(clause.Returning{}).
			Where("id = ? AND stock >= ?", item.ProductID, item.Quantity).
			Update("stock", gorm.Expr("stock - ?", item.Quantity))
		switch {
		case taken.Error != nil:
			return taken.Error
		case taken.RowsAffected == 0:
			return conflict("product %d: there are not so many", item.ProductID)
		}
		item.Cents = product.Cents
	}
	// With the association, GORM would insert the items with ON CONFLICT, which may change rows that were there: the cache
	// would have to drop every order's items. A plain INSERT changes none.
	if err := c.on(tx).Omit("Items").Create(order).Error; err != nil {
		return err
	}
	for i := range order.Items {
		order.Items[i].OrderID = order.ID
	}
	return c.on(tx).Create(&order.Items).Error
}

// validate sorts the items, and says what is wrong with them.
func (o *Order) validate() error {
	slices.SortFunc(o.Items, func(a, b Item) int { return cmp.Compare(a.ProductID, b.ProductID) })
	if len(o.Items) == 0 || len(o.Items) > 100 {
		return invalid("items: want 1 to 100")
	}
	for i, item := range o.Items {
		if item.Quantity < 1 || item.Quantity > 1000 {
			return invalid("quantity of product %d: want 1 to 1000, got %d", item.ProductID, item.Quantity)
		}
		if i > 0 && o.Items[i-1].ProductID == item.ProductID {
			return invalid("product %d: want it once", item.ProductID)
		}
	}
	return nil
}

// updateOrder pays or cancels an open order. What is canceled goes back into the stock.
func (a *api) updateOrder(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	var body struct {
		Status Status `json:"status"`
	}
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if body.Status != Paid && body.Status != Canceled {
		return nil, invalid("status: want %s or %s, got %q", Paid, Canceled, body.Status)
	}
	var order Order
	err = c.db.Transaction(func(tx *gorm.DB) error {
		err := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
			Preload("Items", byProduct).First(&order, id).Error
		switch {
		case err != nil:
			return err
		case order.Status != Open:
			return conflict("the order is %s", order.Status)
		case body.Status == Canceled:
			err = putBack(c, tx, order.Items)
		}
		return errors.Join(err, c.on(tx).Model(&order).Update("status", body.Status).Error)
	})
	return &order, err
}

func putBack(c *call, tx *gorm.DB, items []Item) error {
	for _, item := range items {
		err := c.on(tx).Model(&Product{}).Where("id = ?", item.ProductID).
			Update("stock", gorm.Expr("stock + ?", item.Quantity)).Error
		if err != nil {
			return err
		}
	}
	return nil
}
