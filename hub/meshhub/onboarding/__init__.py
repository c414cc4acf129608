"""Onboarding of constrained devices from their static QR."""

from meshhub.onboarding.adoption import Adoption, OnboardingError, Step
from meshhub.onboarding.onboarding import Onboarding

__all__ = ["Adoption", "Onboarding", "OnboardingError", "Step"]
