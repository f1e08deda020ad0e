package main

import (
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// listUsers answers with users by id, or with the one of ?email=.
func (a *api) listUsers(c *call) (any, error) {
	after, limit, err := c.page()
	if err != nil {
		return nil, err
	}
	query := c.query().Where("id > ?", after).Order("id").Limit(int(limit))
	if email := c.r.URL.Query().Get("email"); email != "" {
		query = query.Where("email = ?", email)
	}
	users := []User{}
	return users, query.Find(&users).Error
}

func (a *api) getUser(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	var user User
	return &user, c.query().First(&user, id).Error
}

func (a *api) createUser(c *call) (any, error) {
	var user User
	if err := c.decode(&user.UserFields); err != nil {
		return nil, err
	}
	if err := user.validate(); err != nil {
		return nil, err
	}
	if err := c.query().Create(&user).Error; err != nil {
		return nil, err
	}
	return created{fmt.Sprintf("/users/%d", user.ID), user}, nil
}

// updateUser changes the fields that are in the body. Two that change one user do so one after the other. When it is
// answered, no reader is served what was there before.
func (a *api) updateUser(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	var user User
	err = c.db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).First(&user, id).Error; err != nil {
			return err
		}
		if err := c.decode(&user.UserFields); err != nil {
			return err
		}
		if err := user.validate(); err != nil {
			return err
		}
		return c.on(tx).Save(&user).Error
	})
	return &user, err
}

// deleteUser deletes a user, and the database the orders with it: the cache knows that from the foreign key.
func (a *api) deleteUser(c *call) (any, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, deleted(c.query().Delete(&User{}, id))
}

// deleted returns the error of a DELETE. To delete what is not there is one.
func deleted(result *gorm.DB) error {
	if result.Error == nil && result.RowsAffected == 0 {
		return gorm.ErrRecordNotFound
	}
	return result.Error
}
