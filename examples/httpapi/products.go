package main

import (
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

func (a *api) listProducts(c *call) (any, error) {
	after, limit, err := c.page()
	if err != nil {
		return nil, err
	}
	products := []Product{}
	return products, c.query().Where("id > ?", after).Order("id").Limit(int(limit)).Find(&products).Error
}

func (a *api) getProduct(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	var product Product
	return &product, c.query().First(&product, id).Error
}

func (a *api) createProduct(c *call) (any, error) {
	var product Product
	if err := c.decode(&product.ProductFields); err != nil {
		return nil, err
	}
	if err := product.validate(); err != nil {
		return nil, err
	}
	if err := c.query().Create(&product).Error; err != nil {
		return nil, err
	}
	return created{fmt.Sprintf("/products/%d", product.ID), product}, nil
}

// updateProduct changes the fields that are in the body.
func (a *api) updateProduct(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	var product Product
	err = c.db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).First(&product, id).Error; err != nil {
			return err
		}
		if err := c.decode(&product.ProductFields); err != nil {
			return err
		}
		if err := product.validate(); err != nil {
			return err
		}
		return c.on(tx).Save(&product).Error
	})
	return &product, err
}

// deleteProduct deletes a product that nobody has ordered.
func (a *api) deleteProduct(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, deleted(c.query().Delete(&Product{}, id))
}
